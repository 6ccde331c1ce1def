"""Remote repositories behind real servers: what is fetched, what is pushed, and what the server's answer means."""

import os
import re
from pathlib import Path

import pytest
from support.servers import HOST, KINDS, Line, Silent, hook

from gitops.core.tree import EMPTY
from gitops.errors import Moved, Refused, RepositoryError, TransportError
from gitops.git import history
from gitops.git.clones import open_clone
from gitops.git.commits import Identity
from gitops.git.credentials import BasicAuth, SSHKey
from gitops.git.remote import Advance, Remote
from gitops.git.transport import Done, Patience, Transport

ME = Identity("gitops", "gitops@localhost")


@pytest.fixture(params=[kind for kind in KINDS if kind != "https"])  # it is http, and TLS: see `test_remote_stores`
def kind(request):
    return request.param


@pytest.fixture
def there(servers):
    """The repository on the servers."""
    return servers.make("x")


@pytest.fixture
def here(tmp_path, servers):
    return open_clone("https://example.org/x", tmp_path / "cache")


@pytest.fixture
def connect(servers, here):
    """Connect the repository here with the one of the servers."""

    def run(kind, **options):
        url, secret = servers.url(kind, "x"), servers.secret(kind)
        credentials = secret and (SSHKey(secret) if kind == "ssh" else BasicAuth(secret))
        return Remote(here, url, credentials, **options)

    return run


@pytest.fixture
def remote(connect, kind, there):
    return connect(kind)


def commit(repo, *parents, note="x"):
    oid = repo.objects.commit(EMPTY, parents, ME, 1_700_000_000, note)
    repo.objects.flush()
    return oid


@pytest.fixture
def edit(git, there):
    """Commit on a branch of the servers' repository, as somebody else does."""

    def run(branch="main", onto="", note="theirs"):
        tree = git(there, "write-tree")
        oid = git(there, "commit-tree", "-m", note, *(["-p", onto] if onto else []), tree)
        git(there, "update-ref", f"refs/heads/{branch}", oid)
        return bytes.fromhex(oid)

    return run


def test_a_branch_is_born_advances_and_is_seen_by_others(remote, here, there, git):
    remote.fetch(["main"])
    assert remote.tip("main") is None
    one = commit(here)
    remote.push([Advance("main", None, one)])
    two = commit(here, one)
    remote.push([Advance("main", one, two)])
    assert git(there, "rev-parse", "refs/heads/main") == two.hex() == remote.tip("main").hex()
    git(there, "fsck", "--strict")


def test_what_others_commit_arrives_with_its_history(remote, here, edit):
    one = edit()
    two = edit(onto=one.hex())
    remote.fetch(["main", "missing"])
    assert (remote.tip("main"), remote.tip("missing")) == (two, None)
    assert history.is_ancestor(here, one, two)


def test_a_lost_race_moves_nothing(remote, here, there, git, edit):
    one = edit()
    remote.fetch(["main"])
    theirs = edit(onto=one.hex())
    ours = commit(here, one)
    with pytest.raises(Moved):
        remote.push([Advance("main", one, ours)])
    with pytest.raises(Moved):
        remote.push([Advance("main", None, ours)])
    with pytest.raises(Moved):
        remote.push([Advance("other", one, ours)])
    assert git(there, "for-each-ref", "--format=%(objectname)") == theirs.hex()
    remote.fetch(["main"])
    assert remote.tip("main") == theirs


def test_several_branches_move_together_or_not_at_all(remote, here, there, git, edit):
    theirs = edit("docs")
    one = commit(here)
    with pytest.raises(Moved):
        remote.push([Advance("main", None, one), Advance("docs", None, one)])
    assert git(there, "for-each-ref", "--format=%(refname) %(objectname)") == f"refs/heads/docs {theirs.hex()}"
    remote.push([Advance("main", None, one), Advance("more/docs", None, one)])
    assert (remote.tip("main"), remote.tip("more/docs")) == (one, one)


def test_a_rewound_deleted_and_recreated_branch_is_followed_and_never_pushed_back(remote, here, there, git, edit):
    one = edit()
    two = edit(onto=one.hex())
    remote.fetch(["main"])
    git(there, "update-ref", "refs/heads/main", one.hex())
    with pytest.raises(Moved):  # for the server this would be a fast-forward
        remote.push([Advance("main", two, commit(here, two))])
    remote.fetch(["main"])
    assert remote.tip("main") == one
    git(there, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(Moved):
        remote.push([Advance("main", one, commit(here, one))])
    remote.fetch(["main"])
    assert remote.tip("main") is None
    unrelated = edit(note="unrelated")
    remote.fetch(["main"])
    assert remote.tip("main") == unrelated


def test_the_words_of_a_hook_that_refuses_arrive_cleaned(remote, here, there):
    hook(
        there,
        "pre-receive",
        "printf '\\033[31mTicket\\033[0m missing\\n  see wiki, request %s\\n' $(date +%s%N) >&2; exit 1",
    )
    for move in [[Advance("main", None, commit(here))], [Advance(name, None, commit(here)) for name in ("a", "b")]]:
        with pytest.raises(Refused) as refused:
            remote.push(move)
        assert str(refused.value) == "pre-receive hook declined: Ticket missing see wiki, request <number>"
    assert remote.tip("main") is None
    with pytest.raises(Refused, match="Ticket missing"):
        remote.probe("main")


def test_a_push_that_holds_the_lock_of_the_ref_is_given_time_to_end(connect, here, there):
    """A machine with much to do takes seconds for it. What has happened then is that the branch has moved."""
    ours, theirs, waited = commit(here), commit(here, note="theirs"), []
    lock = there / "refs/heads/main.lock"

    def pause(seconds):
        waited.append(seconds)
        if sum(waited) > 2:
            lock.rename(lock.with_suffix(""))

    remote = connect("file", pause=pause)
    remote.push([Advance("other", None, theirs)])
    lock.write_text(f"{theirs.hex()}\n")
    with pytest.raises(Moved, match="main of the remote is at"):
        remote.push([Advance("main", None, ours)])


def test_nobody_waits_where_a_hook_says_no(connect, here, there):
    hook(there, "update", "exit 1")
    remote = connect("file", pause=lambda seconds: pytest.fail("waits") if seconds else None)
    with pytest.raises(Refused):
        remote.push([Advance("main", None, commit(here))])


def test_a_probe_leaves_nothing_and_is_seen_by_hooks(remote, there, git, edit):
    hook(there, "update", f'echo "$1" >> {there}/seen')
    for _ in range(2):
        remote.probe("main")
        assert git(there, "for-each-ref") == ""
    edit()
    remote.fetch(["main"])
    remote.probe("main")
    assert re.fullmatch(r"(refs/gitops/probe/\w{16}\n)\1{5}", (there / "seen").read_text())


def test_a_probe_sends_what_was_removed_since_the_last_one(remote, here):
    """Nothing leads to its commit: the server was told as not ready, since that was taken for written."""
    remote.probe("main")
    for file in here.common_dir.glob("objects/pack/*"):
        file.unlink()
    remote.probe("main")


def test_a_protected_branch_refuses_and_says_so(remote, here, there):
    hook(there, "update", '[ "$1" != refs/heads/main ] || { echo "main is protected" >&2; exit 1; }')
    with pytest.raises(Refused, match="hook declined: main is protected"):
        remote.push([Advance("main", None, commit(here))])
    remote.push([Advance("other", None, commit(here))])


def test_what_the_server_does_not_take_is_refused_and_named(remote, here):
    nameless = here.objects.add("commit", b"tree %s\nauthor x\n\nx" % EMPTY.hex().encode())
    here.objects.add("tree", b"")
    here.objects.flush()
    with pytest.raises(Refused, match="unpacker error"):
        remote.push([Advance("main", None, nameless)])


def test_the_branch_that_a_remote_shows_first_is_known(remote, there, git, edit):
    edit("trunk")
    git(there, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert remote.default_branch() == "trunk"


def test_a_repository_that_is_not_there_is_named_and_found_once_it_is(remote, servers, there, edit):
    gone = there.rename(servers.folder / f"gone-{os.urandom(4).hex()}")
    with pytest.raises(TransportError, match="there is no repository at that address"):
        remote.fetch(["main"])
    gone.rename(there)
    tip = edit()
    remote.fetch(["main"])
    assert remote.tip("main") == tip


@pytest.mark.parametrize("damage", ["empty ref", "foreign ref", "no pack"])
def test_damaged_knowledge_of_a_remote_is_fetched_again(connect, here, edit, damage):
    tip, remote = edit(), connect("file")
    remote.fetch(["main"])
    ref = here.common_dir / f"refs/gitops/remotes/{remote.id}/main"
    if damage == "no pack":
        for path in here.common_dir.glob("objects/pack/*"):
            path.unlink()
    else:
        ref.write_text("" if damage == "empty ref" else "1" * 40 + "\n")
    remote = connect("file")
    assert remote.tip("main") is None
    remote.fetch(["main"])
    assert remote.tip("main") == tip


def test_a_clone_that_was_found_whole_is_doubted_again_after_a_while(connect, here, there):
    seconds = [0.0]
    remote = connect("file", now=lambda: seconds[0])
    missing, mine = Advance("main", None, bytes(range(20))), Advance("main", None, commit(here))
    with pytest.raises(Refused):
        remote.push([missing])
    for path in here.common_dir.glob("objects/pack/*.pack"):
        path.chmod(0o600)
        path.write_bytes(b"damaged")
    with pytest.raises(Refused):
        remote.push([mine])
    seconds[0] += 600
    with pytest.raises(RepositoryError, match="is damaged"):
        remote.push([mine])


class Damaged(Transport):
    """Runs git in a clone that is damaged."""

    def run(self, scheme, *arguments, environment):
        return Done(1, "", "error: object corrupt" if "fsck" in arguments else "fatal: bad object")


def test_a_damaged_clone_is_no_reason_to_say_that_nobody_may_write(connect, here):
    with pytest.raises(RepositoryError, match="is damaged"):
        connect("file", transport=Damaged(here)).probe("main")


def test_a_branch_that_becomes_a_folder_of_branches_is_followed_and_back(connect, there, git, edit):
    remote = connect("file")
    edit("a")
    remote.fetch(["a"])
    git(there, "update-ref", "-d", "refs/heads/a")
    below = edit("a/b")
    remote.fetch(["a/b"])
    assert (remote.tip("a"), remote.tip("a/b")) == (None, below)
    git(there, "update-ref", "-d", "refs/heads/a/b")
    again = edit("a")
    remote.fetch(["a"])
    assert remote.tip("a") == again


def test_fetching_makes_one_pack_and_no_loose_objects(connect, here, edit):
    edit()
    connect("file").fetch(["main"])
    assert len(list(here.common_dir.glob("objects/pack/*.pack"))) == 1
    assert list(here.common_dir.glob("objects/??")) == []


def test_two_spellings_of_an_address_are_one_remote(here):
    assert Remote(here, "https://h/x").id == Remote(here, "git@H:x.git").id != Remote(here, "https://h/y").id


def test_an_address_that_is_none_is_refused(here):
    for url in ("ext::sh -c evil", "--upload-pack=evil", "https://me:canary@h/x"):
        with pytest.raises(TransportError, match="the address cannot be used") as error:
            Remote(here, url)
        assert "canary" not in str(error.value)


# bad luck on the way


@pytest.mark.parametrize("url", ["git://{}/x", "http://{}/x", "https://{}/x", "ssh://{}/x"])
def test_a_server_that_never_answers_is_given_up(here, url):
    with Silent() as silent:
        remote = Remote(here, url.format(f"{HOST}:{silent.port}"), transport=Transport(here, Patience(silence=0.3)))
        with pytest.raises(TransportError, match=r"it has not answered for 0\.3 s"):
            remote.fetch(["main"])


def test_who_is_told_to_stop_stops_although_a_server_hangs(here):
    with Silent() as silent:
        remote = Remote(here, f"git://{HOST}:{silent.port}/x", transport=Transport(here, stopped=lambda: True))
        with pytest.raises(TransportError, match="told to stop"):
            remote.fetch(["main"])


def test_a_hook_that_never_ends_is_given_up_with_all_its_processes(connect, here, there, tmp_path):
    hook(there, "pre-receive", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(TransportError, match="has not answered"):
        connect("file", transport=Transport(here, Patience(silence=0.5))).push([Advance("main", None, commit(here))])
    pid = (tmp_path / "pid").read_text().strip()
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()


@pytest.fixture
def line(servers, there):
    with Line(servers.git_port) as cut:
        yield cut


def test_a_fetch_that_is_cut_is_told_and_done_the_next_time(line, here, edit):
    tip = edit(note="long " * 1000)
    remote = Remote(here, f"git://{HOST}:{line.port}/x.git")
    for limit in (0, 100, 400):
        line.limit = limit
        with pytest.raises(TransportError, match="was cut"):
            remote.fetch(["main"])
        assert remote.tip("main") is None
    line.limit = None
    remote.fetch(["main"])
    assert remote.tip("main") == tip


DIES = '[ "$1" != committed ] || kill -9 $PPID'


def test_a_push_that_landed_counts_although_the_server_dies_before_it_answers(connect, here, there):
    hook(there, "reference-transaction", DIES)
    one, remote = commit(here), connect("git")
    remote.push([Advance("main", None, one)])
    assert remote.tip("main") == one


def test_what_became_of_a_push_is_told_by_the_next_fetch_when_nobody_can_be_asked(connect, here, there):
    away = there.with_name("away.git")
    hook(there, "reference-transaction", f'[ "$1" != committed ] || {{ mv {there} {away}; kill -9 $PPID; }}')
    one, remote = commit(here), connect("file")
    with pytest.raises(TransportError, match="the connection was cut"):
        remote.push([Advance("main", None, one)])
    assert remote.tip("main") is None
    away.rename(there)
    remote.fetch(["main"])
    assert remote.tip("main") == one


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (403, "it does not allow this with these credentials (HTTP 403)"),
        (404, "there is no repository at that address, or these credentials do not show it"),
        (429, "it has had too many requests (HTTP 429)"),
        (500, "it failed by itself (HTTP 500)"),
        (503, "it failed by itself (HTTP 503)"),
    ],
)
def test_each_answer_of_a_web_server_has_its_own_message(servers, here, status, cause):
    remote = Remote(here, f"http://{HOST}:{servers.web_ports[0]}/status/{status}/x")
    with pytest.raises(TransportError) as error:
        remote.fetch(["main"])
    assert str(error.value) == cause


def test_a_redirect_is_not_followed(servers, here, there):
    remote = Remote(here, f"http://{HOST}:{servers.web_ports[0]}/moved/x.git", BasicAuth(servers.secret("http")))
    with pytest.raises(TransportError, match="it redirects elsewhere"):
        remote.fetch(["main"])


def test_what_others_configure_has_no_say(connect, here, there, edit, git, tmp_path, monkeypatch):
    tip = edit()
    evil = tmp_path / "evil"
    evil.write_text('[url "file:///nowhere/"]\n\tinsteadOf = file://\n[core]\n\thooksPath = /nowhere\n')
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(evil))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    with (here.common_dir / "config").open("a") as file:
        file.write(evil.read_text())
    hook(here.common_dir, "pre-push", "exit 1")
    hook(here.common_dir, "reference-transaction", "exit 1")
    remote = connect("file")
    remote.fetch(["main"])
    remote.push([Advance("other", None, tip)])
    assert git(there, "rev-parse", "refs/heads/other") == tip.hex()
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("lost", ["HEAD", "config", "objects", "refs", "packed-refs", "shallow"])
@pytest.mark.parametrize("emptied", [False, True])
def test_what_a_power_cut_took_of_our_small_repository_is_made_again(connect, here, there, edit, lost, emptied):
    connect("file").fetch(["main"])
    path = here.common_dir / "gitops" / "transport" / lost
    assert path.is_symlink() == (lost not in ("HEAD", "config"))
    if emptied and not path.is_symlink():
        path.write_text("")
    else:
        path.unlink()
    theirs = edit()
    remote = connect("file")
    remote.fetch(["main"])

    assert remote.tip("main") == theirs
    assert here.objects.stored(theirs)


def test_what_a_kill_left_of_our_small_repository_goes_once_nobody_can_be_at_it(connect, here):
    connect("file").fetch(["main"])
    folder = here.common_dir / "gitops" / "transport"
    (folder / "config").rename(folder / "config.123")
    connect("file").fetch(["main"])
    assert [path.name for path in folder.glob("*.*")] == ["config.123"]

    os.utime(folder / "config.123", (0, 0))
    connect("file").fetch(["main"])
    assert list(folder.glob("*.*")) == []


@pytest.mark.parametrize("content", ["", "0" * 40 + "\n"])
def test_a_lock_that_a_killed_git_left_on_a_ref_of_ours_is_taken_away(connect, here, there, edit, content):
    """Nobody but gitops writes below refs/gitops, and no git command holds such a lock for long."""
    waited = []
    remote = connect("file", pause=waited.append)
    lock = here.common_dir / "refs" / "gitops" / "remotes" / remote.id / "main.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(content)
    one = edit()
    remote.fetch(["main"])

    assert remote.tip("main") == one
    assert sum(waited) >= 2
    lock.write_text(content)
    two = commit(here, one)
    remote.push([Advance("main", one, two)])
    assert remote.tip("main") == two
    assert sum(waited) >= 4


def test_a_lock_that_is_given_back_meanwhile_is_waited_for_and_no_longer(connect, here, edit):
    waited = []

    def pause(seconds):
        waited.append(seconds)
        lock.unlink()

    remote = connect("file", pause=pause)
    lock = here.common_dir / "refs" / "gitops" / "remotes" / remote.id / "main.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("")
    one = edit()
    remote.fetch(["main"])

    assert remote.tip("main") == one
    assert len(waited) == 1
