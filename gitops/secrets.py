"""Where secrets come from: a folder with one file a key, as Kubernetes and Docker mount them, or the environment.

    <folder>/<namespace>/<name>/<key>
    GITOPS_SECRET_<NAMESPACE>_<NAME>_<KEY>     in upper case, everything but letters and digits as _

The folder comes first. Nothing is remembered: what the operator replaces counts from the next use on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gitops.errors import SecretNotFoundError

PREFIX = "GITOPS_SECRET"
_MAX = 1 << 20  # bytes, as in Kubernetes


class Secrets:
    """All secrets of the operator."""

    def __init__(self, folder: Path | None, environment: Mapping[str, str]) -> None:
        """*folder* may be missing altogether. *environment* is asked at each use, too."""
        self._folder, self._environment = folder, environment

    def find(self, namespace: str, name: str) -> Secret:
        """Return a secret, whether or not it is there. Both names are those of Kubernetes objects."""
        return Secret(self._folder and self._folder / namespace / name, self._environment, namespace, name)


class Secret:
    """One secret; its text is `namespace/name`."""

    def __init__(self, folder: Path | None, environment: Mapping[str, str], namespace: str, name: str) -> None:
        self._folder, self._environment = folder, environment
        self._namespace, self._name = namespace, name

    def __str__(self) -> str:
        return f"{self._namespace}/{self._name}"

    def get(self, key: str) -> str | None:
        """Read one key, without line breaks at its end; None when it is not there.

        SecretNotFoundError when nothing of the secret is there, or it cannot be read.
        """
        value = self._from_folder(key)
        value = self._environment.get(_variable(self._namespace, self._name, key)) if value is None else value
        if value is None and not self.exists():
            raise SecretNotFoundError(f"Secret {self._name} not found in namespace {self._namespace}")
        return None if value is None else value.rstrip("\r\n")

    def _from_folder(self, key: str) -> str | None:
        if not self._folder:
            return None
        try:
            with (self._folder / key).open("rb") as file:
                return file.read(_MAX).decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SecretNotFoundError(f"key {key} of secret {self} cannot be read: {cause}") from None

    def exists(self) -> bool:
        """Whether anything of it is there."""
        ours = _variable(self._namespace, self._name, "")
        return bool(self._folder and self._folder.is_dir()) or any(name.startswith(ours) for name in self._environment)


def _variable(*parts: str) -> str:
    return "_".join((PREFIX, *(re.sub(r"[^A-Za-z0-9]", "_", part).upper() for part in parts)))
