"""The example repository, reconciled before your eyes: two passes, and a label change in between.

Dates and people are made up, so that everyone gets the same commits. The repository stays, to play with: a demo is made
anew only where nobody has played yet.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from gitops.cli import demo_remote
from gitops.cli.folder import tree
from gitops.cli.main import main
from gitops.cli.parser import Parser
from gitops.cli.repository import Opened
from gitops.cli.status import StatusReader
from gitops.core.sketch import Sketch
from gitops.demo import BRANCH, Demo
from gitops.errors import NotFoundError, UsageError
from gitops.git import refs
from gitops.git.history import walk
from gitops.git.repository import Repository
from gitops.views.describe import describe
from gitops.views.events import EventTable, split
from gitops.views.kinds import find_kind

_MARK, _REMOTE_MARK = Path(".git/gitops-demo"), Path(".gitops-demo")


def add_arguments(parser: Parser) -> None:
    """Add where the repository is made."""
    parser.add_argument("directory", metavar="DIR", nargs="?", default="demo", help="where (default: demo)")
    parser.add_argument("--remote", action="store_true", help="another story: Git servers on this machine")


def run(args: argparse.Namespace) -> int:
    """Tell the story. UsageError when something else is there."""
    folder = Path(args.directory)
    _clear(folder)
    mark = folder / (_REMOTE_MARK if args.remote else _MARK)
    tell = demo_remote.tell if args.remote else _tell
    try:
        tell(folder)
    finally:  # also what was cut short is nobody's yet
        if mark.parent.is_dir():
            mark.write_text(_left(folder))
    return 0


def _tell(folder: Path) -> None:
    demo = Demo(folder)
    screen = _Screen(demo, folder)
    _first_pass(demo, screen)
    change = _label_change(demo, screen)
    _advise(folder, change)


def _clear(folder: Path) -> None:
    """Make room for the demo where nothing is, or an earlier demo that nobody has changed since."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    other = f"name another folder, as in 'gitops demo {folder}-2'"
    mark = next((folder / mark for mark in (_MARK, _REMOTE_MARK) if (folder / mark).is_file()), None)
    if mark is None:
        raise UsageError(f"{folder} is there already and no demo: {other}")
    if mark.read_text() != _left(folder):
        raise UsageError(f"{folder} is an earlier demo, and changed since: move it away or remove it, or {other}")
    # the mark goes last
    for path in sorted(folder.iterdir(), key=lambda path: path.name in (_MARK.parent.name, _REMOTE_MARK.name)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _left(folder: Path) -> str:
    """Return what a demo leaves, as text: where the branches of its repositories are, and a digest of the files."""
    repositories = [path for path in (folder / ".git", *sorted(folder.glob("*.git"))) if path.is_dir()]
    lines = []
    for repo in map(Repository.open, repositories):
        lines += [f"HEAD {repo.head_branch()}", *(f"{name} {at}" for name, at in refs.everything(repo).items())]
    apart = {*repositories, folder / _REMOTE_MARK}
    files = tree(Sketch(), folder, (path for path in folder.iterdir() if path not in apart))
    return "\n".join([*lines, files.hex(), ""])


class _Screen:
    """Prints what the commands would, at the demo's time."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self._demo, self._folder = demo, folder
        self._reader = StatusReader(Opened(demo.repo, BRANCH, BRANCH))

    def say(self, text: str) -> None:
        print(f"\n# {text}")

    def type(self, command: str) -> None:
        print(f"\n$ {command}")

    def get_works(self) -> None:
        self.type("gitops get works -A")
        main(["--repo", str(self._folder), "get", "works", "-A"])

    def describe(self, kind: str, namespace: str, name: str) -> None:
        self.type(f"gitops describe {kind} {name} -n {namespace}")
        found = find_kind(kind)
        file = found and self._reader.snapshot().get(found, namespace, name)
        if not file:
            raise NotFoundError(f"the demo has no {kind} {namespace}/{name}: its templates or settings were changed")
        sys.stdout.write(describe(*split(file), self._demo.seen))

    def events(self, namespace: str) -> None:
        self.type(f"gitops events -n {namespace}")
        sys.stdout.write(EventTable().add(self._reader.snapshot().events(namespace), self._demo.seen))

    def log(self) -> None:
        self.type("git log --oneline")
        tip = refs.tip(self._demo.repo, BRANCH)
        for commit in walk(self._demo.repo, tip) if tip else ():
            print(commit.oid.hex()[:7], commit.subject)


def _first_pass(demo: Demo, screen: _Screen) -> None:
    print(
        "# A platform of 8 Works and 7 Destinations, in a Git repository of its own. After a pass, gitops run --once:"
    )
    demo.reconcile()
    screen.get_works()
    screen.say("search asks for GPUs, and no Destination has them:")
    screen.events("team-c")


def _label_change(demo: Demo, screen: _Screen) -> str:
    screen.say("prod-us gives its fast disks back: a commit takes its label storage=nvme away. After another pass:")
    change = demo.take_label()
    demo.reconcile()
    screen.get_works()
    screen.say("postgres-orders was placed there for its disks. It stays with its data until somebody decides:")
    screen.describe("work", "team-a", "postgres-orders")
    screen.say("The log is the record: what was placed where and why, and each event once:")
    screen.log()
    return change


def _advise(folder: Path, change: str) -> None:
    print("\n# The repository is yours to play with:\n")
    if not shutil.which("gitops"):
        print(f"  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    print(
        f"""\
  cd {shlex.quote(str(folder))}
  cat status/README.md                                    # what needs attention
  git show HEAD~1                                         # a documents commit: which, where, why
  git log -p -- status/works/team-a/postgres-orders       # the story of one Work
  git revert --no-edit {change[:7]}                            # the label comes back ...
  gitops run --once && gitops get works -A                # ... and the misplacement goes"""
    )
