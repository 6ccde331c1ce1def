"""The named points between any two effects of a pass, at which a process can be made to die.

Effects are wrapped from outside, in the process that shall die: the product has no hooks. A point is named by what is
done and when, `ref.commit:after`; with a number it is one moment of a pass, `os.fsync pack:before#2`.
`python -m torture.points` lists them all.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

Cross = Callable[[str], None]
"""Is told the name of each point that is passed."""

BEFORE, AFTER = "before", "after"


class Effect(NamedTuple):
    """A call that changes something outside the process, by where it is found."""

    name: str
    module: str
    owner: str  # a class in the module, or "" for the module itself
    attribute: str


EFFECTS = (
    Effect("objects.flush", "gitops.git.objects", "ObjectStore", "flush"),
    Effect("pack.write", "gitops.git.pack", "Pack", "write"),
    Effect("pack.store", "gitops.git.pack", "", "_store"),
    Effect("ref.recover", "gitops.git.refs", "", "recover"),
    Effect("ref.swap", "gitops.git.refs", "", "_swap"),
    Effect("ref.lock", "pygit2.transaction", "ReferenceTransaction", "lock_ref"),
    Effect("ref.set", "pygit2.transaction", "ReferenceTransaction", "set_target"),
    Effect("ref.commit", "pygit2.transaction", "ReferenceTransaction", "commit"),
    Effect("record.announce", "gitops.git.moves", "", "announce"),
    Effect("record.remove", "gitops.git.moves", "Record", "remove"),
    Effect("index.hold", "gitops.git.worktree", "", "hold"),
    Effect("index.prepare", "gitops.git.worktree", "HeldIndex", "prepare"),
    Effect("index.write", "gitops.git.worktree", "HeldIndex", "_write"),
    Effect("index.complete", "gitops.git.worktree", "HeldIndex", "complete"),
    Effect("index.let-go", "gitops.git.worktree", "HeldIndex", "_take_back_claim"),
    Effect("file.follow", "gitops.git.files", "WorkFiles", "follow"),
    Effect("file.write", "gitops.git.files", "WorkFiles", "_write"),
    Effect("file.sync", "gitops.git.files", "WorkFiles", "sync"),
    Effect("daemon.lock", "gitops.git.pack", "", "sweep"),
    Effect("clone.make", "gitops.git.clones", "", "_make"),
    Effect("clone.durable", "gitops.git.clones", "", "make_durable"),
    Effect("transport.prepare", "gitops.git.transport", "", "_prepare"),
    Effect("credentials.keep", "gitops.git.credentials", "", "_keep"),
    Effect("tracking.record", "gitops.git.tracking", "Tracking", "record"),
    Effect("tracking.forget", "gitops.git.tracking", "Tracking", "forget"),
    Effect("branches.write", "gitops.branches", "Branches", "write"),
    Effect("branches.move", "gitops.branches", "Branches", "move"),
    Effect("cache.save", "gitops.cache", "Cache", "save"),
    Effect("maintenance.begin", "gitops.git.maintenance", "Maintenance", "_begin"),
)
PRIMITIVES = ("fsync", "rename", "unlink", "link", "mkdir")  # of `os`; named with what they are done to
COMMANDS = ("ls-remote", "fetch", "push")  # of git; `ended` is before the answer is read
HOOKS = {  # of git's own, in which git itself dies with the daemon
    "git fetch:prepared": "the refs of the clone are locked",
    "git fetch:committed": "the refs of the clone have moved",
    "git push:received": "the server has the objects and not yet the ref",
    "git push:accepted": "the server has moved the ref and not yet said so",
}
THINGS = (  # what a file is, by its path
    ("pack", r"/objects/pack/[^/]*$"),
    ("index", r"/index(\.lock|\.gitops)?$"),
    ("record", r"/gitops/moves"),
    ("memory", r"/memory-[^/]*$"),
    ("transport", r"/transport\b"),
    ("credentials", r"/gitops-lent-"),
    ("ref", r"/refs\b|/packed-refs|/logs\b"),
    ("object", r"/objects\b"),
    ("clone", r"/cache-\d+\b|\.git(/|$)"),
    ("document", r"\.gitops-[0-9a-f]+$|/(state|status)\b"),
)


def watch(cross: Cross) -> None:
    """Tell *cross* of each point that this process passes, from now on."""
    for effect in EFFECTS:
        holder = import_module(effect.module)
        _wrap(getattr(holder, effect.owner) if effect.owner else holder, effect.attribute, _always(effect.name), cross)
    for name in PRIMITIVES:
        _wrap(os, name, _thing(f"os.{name}"), cross)
    transport = import_module("gitops.git.transport").Transport
    _wrap(transport, "run", lambda _, scheme, *arguments, **__: f"git {_command(arguments)}", cross)
    _end_unread(transport, cross)


def fatal(point: str, note: Cross) -> Cross:
    """Return what dies at *point*, such as `ref.commit:after#1`, by SIGKILL; *note* is told of those before, too."""
    passed: Counter[str] = Counter()

    def cross(name: str) -> None:
        passed[name] += 1
        note(name)
        if f"{name}#{passed[name]}" == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return cross


def moments(crossed: Sequence[str], of_each: int) -> list[str]:
    """Return the moments of a pass worth dying in: of each name the first ones and the last, and where git may die."""
    chosen = [hook for hook in HOOKS if f"{hook.partition(':')[0]}:{BEFORE}" in crossed]
    for name, count in Counter(crossed).items():
        numbers = {*range(1, min(count, of_each) + 1), count}
        chosen += [f"{name}#{number}" for number in sorted(numbers)]
    return chosen


def _wrap(holder: Any, attribute: str, label: Callable[..., str], cross: Cross) -> None:
    original = getattr(holder, attribute)

    @wraps(original)
    def watched(*arguments: Any, **options: Any) -> Any:
        name = label(*arguments, **options)
        cross(f"{name}:{BEFORE}")
        result = original(*arguments, **options)
        cross(f"{name}:{AFTER}")
        return result

    setattr(holder, attribute, watched)


def _end_unread(transport: Any, cross: Cross) -> None:
    """Add the point at which a git command has ended and nothing of what it said was read."""
    listen = transport._listen

    def watched(self: Any, process: Any) -> Any:
        cross(f"git {_command(process.args[1:])}:begun")
        done = listen(self, process)
        cross(f"git {_command(process.args[1:])}:ended")
        return done

    transport._listen = watched


def _always(name: str) -> Callable[..., str]:
    return lambda *_, **__: name


def _thing(name: str) -> Callable[..., str]:
    return lambda target, *others, **__: f"{name} {_kind(others[0] if others else target)}"


def _kind(target: object) -> str:
    try:
        path = str(Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else target)
    except OSError:
        return "other"
    return next((kind for kind, pattern in THINGS if re.search(pattern, path)), "other")


def _command(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if word in COMMANDS), "other")


def names() -> Iterator[str]:
    """List all points, as far as they do not depend on what a file is."""
    for effect in EFFECTS:
        yield from (f"{effect.name}:{when}" for when in (BEFORE, AFTER))
    for primitive in PRIMITIVES:
        for kind, _ in THINGS:
            yield from (f"os.{primitive} {kind}:{when}" for when in (BEFORE, AFTER))
    for command in COMMANDS:
        yield from (f"git {command}:{when}" for when in (BEFORE, "begun", "ended", AFTER))
    yield from HOOKS


if __name__ == "__main__":
    print("\n".join(names()))
