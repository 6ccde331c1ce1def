"""How the git command gets a secret: by its environment, or by files in memory that nobody else can read.

Never by its arguments, by a file of the repository, or by any configuration. Secrets are read anew for each command, so
that a credential that was replaced counts at once.
"""

from __future__ import annotations

import base64
import fcntl
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from gitops.core import urls
from gitops.errors import TransportError

USERNAME, PASSWORD, PRIVATE_KEY, KNOWN_HOSTS = "username", "password", "sshPrivateKey", "knownHosts"
CA, BOUND = "ca.crt", "url"
_MEMORY = Path("/dev/shm")  # noqa: S108 - only for a folder that mkdtemp makes
_LENT = "gitops-lent-"
_BEGUN = 60.0  # seconds in which a folder that was made has been locked by its maker
_CONNECT = 15  # seconds
_SSH = """\
BatchMode yes
StrictHostKeyChecking yes
UserKnownHostsFile "{folder}/known_hosts"
GlobalKnownHostsFile /dev/null
UpdateHostKeys no
IdentityFile "{folder}/key"
IdentitiesOnly yes
IdentityAgent none
PreferredAuthentications publickey
ControlPath none
ForwardAgent no
ConnectTimeout {connect}
ServerAliveInterval {connect}
LogLevel DEBUG1
"""


class Secret(Protocol):
    """A secret of the operator; its text is `namespace/name`."""

    def get(self, key: str) -> str | None:
        """Read one key, anew each time; None when it is not there. SecretNotFoundError when the secret is not."""


class Lent(NamedTuple):
    """What a git command gets to know, what of that no message may hold, and the file in which ssh says what it did."""

    environment: dict[str, str]
    hidden: tuple[str, ...] = ()
    log: Path | None = None

    def logged(self) -> str:
        """Return what ssh said."""
        return self.log.read_text("utf-8", "replace") if self.log and self.log.exists() else ""

    def redacted(self, text: str) -> str:
        """Return *text* without what is hidden: a server may well repeat what we sent to it."""
        for secret in self.hidden:
            text = text.replace(secret, "<secret>")
        return text


class Credentials(Protocol):
    """A way to prove who we are."""

    def lend(self, url: str, folder: Path) -> Lent:
        """Return what a git command for *url* needs, with files below *folder*. TransportError when it may not."""

    def renew(self) -> bool:
        """The remote did not let us in: whether another attempt would use something newer."""


@contextmanager
def lent(credentials: Credentials | None, url: str) -> Iterator[Lent]:
    """Lend to one git command, and take everything back afterwards."""
    if credentials is None:
        yield Lent({})
        return
    place = _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) else None
    _take_back(place or Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_LENT, dir=place) as folder, _locked(Path(folder)):  # of mode 0700
        yield credentials.lend(url, Path(folder))


def _take_back(place: Path) -> None:
    """Remove what was lent to a process that was killed meanwhile: the kernel has let go of its lock."""
    for folder in place.glob(f"{_LENT}*"):
        with suppress(OSError):
            look = folder.stat(follow_symlinks=False)
            if look.st_uid == os.geteuid() and time.time() - look.st_mtime > _BEGUN:
                with _locked(folder):
                    shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


class BasicAuth:
    """User name and password. Sent at once, in a header: no question, no helper program."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def lend(self, url: str, folder: Path) -> Lent:
        allow(self._secret, url)
        username = self._secret.get(USERNAME) or ("x-access-token" if "github" in url else None)
        if username is None or ":" in username:
            raise TransportError(f"{USERNAME} not found in secret {self._secret}, or not usable as one")
        return basic(self._secret, url, username, need(self._secret, PASSWORD), folder)

    def renew(self) -> bool:
        return False


class SSHKey:
    """A private key, and the keys of the hosts that it may be shown to."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def lend(self, url: str, folder: Path) -> Lent:
        if urls.parse(url).scheme != urls.SSH:
            raise TransportError("authMethod ssh needs an address such as git@host:path")
        allow(self._secret, url)
        _keep(folder / "key", need(self._secret, PRIVATE_KEY).rstrip() + "\n")
        _keep(folder / "known_hosts", need(self._secret, KNOWN_HOSTS).rstrip() + "\n")
        _keep(folder / "config", _SSH.format(folder=folder, connect=_CONNECT))
        log = folder / "log"
        command = shlex.join(["ssh", "-F", str(folder / "config"), "-E", str(log)])
        return Lent({"GIT_SSH_COMMAND": command}, log=log)

    def renew(self) -> bool:
        return False


def basic(secret: Secret, url: str, username: str, password: str, folder: Path) -> Lent:
    """Lend user name and password to a git command, and the CA of *secret*, if it has one."""
    address = urls.parse(url)
    if address.scheme != urls.HTTPS and not (address.scheme == urls.HTTP and urls.is_loopback(address.host)):
        raise TransportError("authMethod basicAuth and githubApp need an address that begins with https://")
    token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    environment = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{address.scheme}://{urls.place(address)}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {token}",
    }
    authority = secret.get(CA)
    if authority:
        _keep(folder / CA, authority)
        environment["GIT_SSL_CAINFO"] = str(folder / CA)
    return Lent(environment, hidden=(password, token))


def need(secret: Secret, key: str) -> str:
    """Read a key that must be there. TransportError."""
    value = secret.get(key)
    if not value or "\0" in value:
        raise TransportError(f"{key} not found in secret {secret}")
    return value


def allow(secret: Secret, url: str, default: str = "") -> None:
    """Refuse (TransportError) to send a secret where its key `url`, of one address a line, does not say."""
    try:
        bounds = (secret.get(BOUND) or default).split()
        if bounds and not any(urls.covers(bound, url) for bound in bounds):
            raise TransportError(f"secret {secret} may not be used there: its key {BOUND} does not allow the address")
    except ValueError as error:
        raise TransportError(f"key {BOUND} of secret {secret} is not valid: {error}") from error


def _keep(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a handle, no path
        file.write(text)
