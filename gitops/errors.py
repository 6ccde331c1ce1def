"""What can go wrong at the edges, and by whose fault. A wrong file is no error but data (`core.problems.Problem`)."""

from __future__ import annotations


class GitOpsError(Exception):
    """The command ends with this message and exit code 1."""

    exit_code = 1


class UsageError(GitOpsError):
    """What the user typed makes no sense."""

    exit_code = 2


class NotFoundError(GitOpsError):
    """The thing asked about is not there."""


class RepositoryError(GitOpsError):
    """The repository cannot be opened or read as it is; the message says what to do."""


class MissingError(RepositoryError, KeyError):
    """An object that something in the repository leads to is not there."""

    __str__ = Exception.__str__


class MalformedError(MissingError):
    """An object that is whole, and not what it is taken for; *reason* says so without naming this machine."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Moved(GitOpsError):  # noqa: N818 - an outcome, not a failure: observe again
    """A ref is not where it was when the pass began. Nothing was written; observe and decide again."""


class Busy(GitOpsError):  # noqa: N818
    """Somebody else holds a lock of Git (an open editor, a rebase). Nothing was written; try again later."""


class LockedError(GitOpsError):
    """Another daemon works on this clone."""

    exit_code = 75


class TransportError(GitOpsError):
    """A remote repository cannot be reached, or does not let us in. The message reads the same each time."""


class SecretNotFoundError(TransportError):
    """The credentials that a remote needs are not where secrets come from."""


class Refused(GitOpsError):  # noqa: N818 - an answer, not a failure
    """The remote got the push and said no: a hook, a protected branch. The message has its words."""
