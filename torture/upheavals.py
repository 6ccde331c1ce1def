"""What people do to a branch by force: each takes commits away, and says where the branch stands then.

tip = UPHEAVALS["rewind"](platform, branch, chance)     None: the branch is removed
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pygit2
from pygit2.enums import MergeFavor
from support.platform import ADA, Content, Platform

from torture.people import settle

Upheaval = Callable[[Platform, str, random.Random], str | None]
_FAR = 6  # commits


def rewind(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Go back by a few commits, of people or of daemons."""
    line = _line(platform, branch)
    return str(line[min(len(line) - 1, chance.randint(1, _FAR))].id)


def begin_again(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Go back to the very first commit."""
    return str(_line(platform, branch)[-1].id)


def remove(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Remove the branch."""
    return None


def amend(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Amend the newest commit, whosever it is: its message, or a file."""
    commit = _line(platform, branch)[0]
    message, edits = chance.choice(
        [
            (commit.message, {}),
            ("My own words\n", {}),
            (commit.message, {"docs/amended.md": "more\n"}),
            (f"{commit.message}Signed-off-by: Ada Lovelace <ada@example.org>\n", {}),
        ]
    )
    return _again(platform, commit, _edited(platform, commit.tree, edits), [str(p.id) for p in commit.parents], message)


def squash(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Make one commit of the newest few."""
    line = _line(platform, branch)
    onto = line[min(len(line) - 1, chance.randint(2, _FAR))]
    message = chance.choice(["All in one\n", line[0].message])
    return _again(platform, line[0], line[0].tree.id, [str(onto.id)] if onto.id != line[0].id else [], message)


def drop(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Rebase the newest few, and leave one of them out."""
    line = _line(platform, branch)[: _FAR + 1]
    gone = chance.randrange(max(1, len(line) - 1))
    return _rebased(platform, line[-1], [commit for n, commit in enumerate(line[:-1]) if n != gone][::-1])


def insert(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Rebase the newest few onto a commit that comes in before them."""
    line = _line(platform, branch)[: chance.randint(2, _FAR)]
    base = line[-1]
    made = _again(platform, base, _edited(platform, base.tree, {"docs/before.md": "x\n"}), [str(base.id)], "Before\n")
    return _rebased(platform, platform.repo[made].peel(pygit2.Commit), line[:-1][::-1])


def replace(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Go back, and on by another way."""
    onto = platform.repo[rewind(platform, branch, chance) or ""].peel(pygit2.Commit)
    tree = _edited(platform, onto.tree, {"docs/other.md": str(chance.random())})
    return _again(platform, onto, tree, [str(onto.id)], "Another way\n")


def unrelated(platform: Platform, branch: str, chance: random.Random) -> str | None:
    """Have the same files, without any history; perhaps without those that the daemon wrote."""
    commit = _line(platform, branch)[0]
    gone: dict[str, Content] = {}
    if chance.random() < 0.5:
        gone = dict.fromkeys(p for p in platform.blobs(at=str(commit.id)) if p.startswith(("state/", "status/")))
    return _again(platform, commit, _edited(platform, commit.tree, gone), [], "Begin without a past\n")


UPHEAVALS: dict[str, Upheaval] = {
    each.__name__: each for each in (rewind, begin_again, remove, amend, squash, drop, insert, replace, unrelated)
}


def _line(platform: Platform, branch: str) -> list[pygit2.Commit]:
    """The first parents of a branch, newest first."""
    line = [platform.repo[platform.tip(branch) or ""].peel(pygit2.Commit)]
    while line[-1].parents:
        line.append(line[-1].parents[0])
    return line


def _edited(platform: Platform, tree: pygit2.Tree, edits: dict[str, Content]) -> pygit2.Oid:
    index = pygit2.Index()
    index.read_tree(tree)
    for path, content in edits.items():
        if content is None:
            index.remove(path)
        else:
            blob = platform.repo.create_blob(str(content).encode())
            index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
    return index.write_tree(platform.repo)


def _again(platform: Platform, commit: pygit2.Commit, tree: pygit2.Oid, parents: Sequence[str], message: str) -> str:
    """Make a commit like *commit*: a person commits, whoever its author was."""
    who = pygit2.Signature(*ADA, int(platform.clock.now.timestamp()), 0)
    made = platform.repo.create_commit(None, commit.author, who, message, tree, list(parents))
    return str(made)


def _rebased(platform: Platform, onto: pygit2.Commit, commits: Sequence[pygit2.Commit]) -> str:
    """Apply *commits*, oldest first, as `git rebase` does; what conflicts is as it was in the commit."""
    repo = platform.repo
    for commit in commits:
        index = repo.merge_trees(commit.parents[0].tree, onto.tree, commit.tree, favor=MergeFavor.THEIRS)
        settle(index)
        onto = repo[_again(platform, commit, index.write_tree(repo), [str(onto.id)], commit.message)]
    return str(onto.id)
