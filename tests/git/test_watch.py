"""The watch wakes for refs, by whatever way they move, and not for objects; where it cannot, intervals are left."""

import os
import threading

import pytest
import structlog

from gitops import watch
from gitops.core.tree import BLOB
from gitops.git.repository import Repository

HOUR = 3600.0


class Watching:
    """Runs the watch in a thread, and hands over what it yields."""

    def __init__(self, folders, interval=HOUR):
        self.stop = threading.Event()
        self._seen = []
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(folders, interval))
        self._thread.start()

    def _run(self, folders, interval):
        for reason in watch.changes(folders, interval, self.stop):
            with self._more:
                self._seen.append(reason)
                self._more.notify_all()

    def next(self):
        with self._more:
            assert self._more.wait_for(lambda: self._seen, timeout=20)
            return self._seen.pop(0)

    def drain(self):
        """Return what was yielded until there was silence."""
        seen = []
        while more := self._take():
            seen += more
            self._thread.join(timeout=0.3)
        return seen

    def _take(self):
        with self._more:
            seen, self._seen = self._seen, []
            return seen

    def end(self):
        self.stop.set()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()


@pytest.fixture
def watching():
    started = []

    def start(*args, **kwargs):
        started.append(Watching(*args, **kwargs))
        return started[-1]

    yield start
    for one in started:
        one.end()


def awake(watcher, repo, change):
    """Move refs until the watch has seen one: from then on it misses none."""
    assert watcher.next() == "start"
    while not (seen := watcher.drain()):
        change(repo, {"probe": "1"}, branch=f"probe-{os.urandom(4).hex()}")
        watcher._thread.join(timeout=0.1)
    assert set(seen) == {"ref"}


def test_a_ref_wakes_however_it_moves(repo, root, git, change, watching, tmp_path):
    change(repo, {"a": "1"})
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    watcher = watching([repo.common_dir])
    awake(watcher, repo, change)
    for move in (
        lambda: change(repo, {"a": "2"}),
        lambda: change(repo, {"a": "2"}, branch="nested/deep/branch"),
        lambda: git(root, "pack-refs", "--all"),
        lambda: git(root, "checkout", "-q", "--detach"),
        lambda: git(tmp_path / "side", "checkout", "-q", "--detach"),
    ):
        move()
        assert watcher.next() == "ref"
        watcher.drain()


def test_objects_locks_and_reads_do_not_wake(repo, root, git, change, watching):
    oid = change(repo, {"a": "1"}).hex()
    watcher = watching([repo.common_dir])
    awake(watcher, repo, change)
    repo.objects.add(BLOB, b"new")
    repo.objects.flush()
    (root / ".git/refs/heads/main.lock").touch()
    (root / ".git/refs/heads/main.lock").unlink()
    (root / ".git/gitops/something").touch()
    git(root, "hash-object", "-w", "--stdin", stdin="loose")
    git(root, "log", "-1")
    Repository.open(root).objects.commit_tree(bytes.fromhex(oid))
    (root / ".git/refs/heads/last").write_text(oid + "\n")
    assert watcher.next() == "ref"  # for the last one
    assert len(watcher.drain()) <= 1  # of which there may be two, but not one for each of the others


def test_only_names_of_refs_count():
    folders = ["/r/.git/"]
    yes = ["HEAD", "packed-refs", "refs/heads/a/b", "worktrees/w/HEAD"]
    no = [
        "index",
        "objects/12/34",
        "logs/refs/heads/a",
        "refs/heads/a.lock",
        "HEAD.lock",
        "gitops/x",
        "worktrees/w/index",
    ]
    assert [name for name in yes + no if watch._is_ref(f"/r/.git/{name}", folders)] == yes
    assert not watch._is_ref("/elsewhere/HEAD", folders)


def test_an_interval_passes_without_any_event(repo, watching):
    watcher = watching([repo.common_dir], interval=0.05)
    assert [watcher.next() for _ in range(4)] == ["start", "ref", "interval", "interval"]


def test_what_moves_before_the_watch_has_begun_is_looked_at_without_waiting_for_an_interval(repo):
    """The first pass may take its time, and the watch begins after it."""
    stop = threading.Event()
    reasons = watch.changes([repo.common_dir], HOUR, stop)

    assert [next(reasons) for _ in range(2)] == ["start", "ref"]
    stop.set()
    assert list(reasons) == []


def test_where_watching_is_impossible_the_log_says_why_and_intervals_are_left(repo, watching, monkeypatch):
    def impossible(*args, **kwargs):
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watch, "watch", impossible)
    with structlog.testing.capture_logs() as logs:
        watcher = watching([repo.common_dir], interval=0.05)
        assert [watcher.next() for _ in range(4)] == ["start", "ref", "interval", "interval"]
    assert [log["cause"] for log in logs] == ["OS file watch limit reached"]


def test_a_missing_directory_is_no_end_of_the_watch(tmp_path, watching):
    watcher = watching([tmp_path / "missing"], interval=0.05)
    assert [watcher.next() for _ in range(3)] == ["start", "ref", "interval"]


def test_it_ends_when_told_to(repo):
    stop = threading.Event()
    stop.set()
    assert list(watch.changes([repo.common_dir], HOUR, stop)) == ["start"]
