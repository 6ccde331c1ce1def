"""Where branches stand, and the only way in which one moves: a compare-and-swap, together with its work trees.

What happened is always decided by reading the ref, never by an error's text.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pygit2

from gitops.core.tree import Oid
from gitops.errors import Busy, Moved, RepositoryError
from gitops.git import moves, worktree
from gitops.git.commits import short
from gitops.git.history import is_ancestor
from gitops.git.moves import Move
from gitops.git.pack import sync_folder
from gitops.git.repository import HEADS, Repository

_PATIENCE = 0.1  # seconds that git, too, waits for the lock of a ref


def tip(repo: Repository, branch: str) -> Oid | None:
    """Return the commit that *branch* points to, None while it is unborn. RepositoryError for a damaged ref."""
    return _read(repo, _ref(branch))


def everything(repo: Repository) -> dict[str, str]:
    """Return what each ref points to, by its full name: branches, tags, the stash. RepositoryError."""
    try:
        return {ref.name: str(ref.target) for ref in repo.handle.references.iterator()}
    except (pygit2.GitError, OSError) as error:
        raise RepositoryError(f"the refs cannot be read: {error}; 'git fsck' names what is damaged") from error


def move(repo: Repository, branch: str, old: Oid | None, new: Oid, message: str) -> None:
    """Move *branch* from *old* (None: unborn) to *new*, durably, and all work trees that have it checked out.

    What is staged must have been flushed. *message* goes to the reflog. `Moved` when the branch is not at *old*, `Busy`
    while somebody holds a lock or is in a rebase: nothing has happened then. OSError and RepositoryError otherwise; if
    the branch had moved already, `recover` brings the work trees after it.
    """
    intent = Move(_ref(branch), old, new)
    recover(repo)
    _expect(repo, intent)
    with ExitStack() as handles, ExitStack() as undo:
        record = handles.enter_context(closing(moves.announce(repo.common_dir, intent)))
        undo.callback(record.remove)
        held = []
        for place in worktree.checkouts(repo, branch):
            held.append(handles.enter_context(closing(worktree.hold(place))))
            undo.callback(held[-1].drop)
        changes = worktree.changes(repo.objects, old, new) if held else []
        for checkout in held:
            checkout.prepare(changes)
        # from when it may have moved, a failure leaves locks and record as they are: `recover` completes or drops them
        _swap(repo, intent, message, undo.pop_all)
        for checkout in held:
            checkout.complete(repo.objects)
        record.remove()
    repo.objects.settle()


def recover(repo: Repository) -> None:
    """Finish what a kill interrupted: complete or drop it, and take away its locks. Cheap when there is nothing."""
    for record in moves.abandoned(repo.common_dir):
        _bring_after(repo, record.move)
        if record.break_lock(_lock(repo, record.move.ref)):
            record.remove()
    for place in worktree.interrupted(repo):
        worktree.finish(place, repo.objects, None)


def _bring_after(repo: Repository, intent: Move) -> None:
    """Bring the work trees after a move that happened."""
    now = _read(repo, intent.ref)
    if now is None or not _holds(repo, now, intent.new):
        return
    for place in worktree.interrupted(repo):
        if place.branch == intent.ref.removeprefix(HEADS):
            worktree.finish(place, repo.objects, worktree.changes(repo.objects, intent.old, now))


def _expect(repo: Repository, intent: Move) -> None:
    now = _read(repo, intent.ref)
    if now != intent.old:
        raise Moved(f"{intent.ref} is at {short(now)}, not at {short(intent.old)}")


def _swap(repo: Repository, intent: Move, message: str, moved: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        refusal = _try_swap(repo, intent, message)
        if refusal is None:
            moved()
        try:
            now = _read(repo, intent.ref)
        except RepositoryError:
            moved()  # perhaps it has: `recover` will see
            raise
        if now is not None and _holds(repo, now, intent.new):
            moved()
            break
        if now != intent.old or refusal is None:  # a racing `git pack-refs` can undo a swap of git's own kind
            raise Moved(f"{intent.ref} is at {short(now)}, not at {short(intent.new)}") from refusal
        if time.monotonic() > deadline:
            raise _refusal(repo, intent, refusal) from refusal
        time.sleep(_PATIENCE / 10)
    if intent.old is None:
        _sync_folders(repo, intent.ref)


def _try_swap(repo: Repository, intent: Move, message: str) -> Exception | None:
    """Lock, compare, set. Return what Git said when it did not come to that."""
    try:
        with repo.handle.transaction() as transaction:
            transaction.lock_ref(intent.ref)
            _expect(repo, intent)
            _require_objects(repo, intent.new)
            transaction.set_target(intent.ref, pygit2.Oid(raw=intent.new), message=message)
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        return error
    return None


def _require_objects(repo: Repository, new: Oid) -> None:
    """A ref never leads to what is not there, as when somebody's `git gc --prune=now` came in between."""
    objects = repo.objects
    if not (objects.intact() and objects.stored(new) and objects.stored(objects.read_commit(new).tree)):
        raise Moved(f"objects of {short(new)} were removed by a garbage collection, or never flushed")


def _refusal(repo: Repository, intent: Move, cause: Exception) -> Exception:
    """Return the error of a swap that Git refuses: somebody holds the lock, or the ref cannot be written."""
    lock = _lock(repo, intent.ref)
    try:
        age = time.time() - lock.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        free = shutil.disk_usage(repo.common_dir).free
        return RepositoryError(f"{intent.ref} cannot be written: {cause} ({free:,} bytes are free)")
    return Busy(f"{lock} has been held for {age:.0f} s: if no Git process is at work, remove it")


def _read(repo: Repository, ref: str) -> Oid | None:
    try:
        found = repo.handle.references.get(ref)
    except (pygit2.GitError, OSError) as error:
        raise RepositoryError(f"{ref} cannot be read: {error}; 'git reflog' and 'git update-ref' repair it") from error
    if found is None:
        return None
    if isinstance(found.target, str):
        raise RepositoryError(f"{ref} is only a name for {found.target}: use that branch")
    return found.target.raw


def _holds(repo: Repository, now: Oid, new: Oid) -> bool:
    return now == new or is_ancestor(repo, new, now)


def _ref(branch: str) -> str:
    ref = HEADS + branch
    reserved = branch == "HEAD" or branch.startswith(("-", "refs/"))
    if reserved or not branch.isprintable() or not pygit2.reference_is_valid_name(ref):
        raise RepositoryError(f"{branch!r} is not a valid branch name: see 'git check-ref-format --help'")
    return ref


def _lock(repo: Repository, ref: str) -> Path:
    return repo.common_dir / f"{ref}.lock"


def _sync_folders(repo: Repository, ref: str) -> None:
    """Make the folders of a ref that was just born survive a power cut."""
    folder = (repo.common_dir / ref).parent
    while folder != repo.common_dir:
        sync_folder(folder)
        folder = folder.parent
