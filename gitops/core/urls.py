"""What the address of a repository says: whether it is allowed, which are the same, where a secret may be sent."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import quote, unquote

from gitops.core.text import printable

HTTPS, HTTP, SSH, GIT, FILE = "https", "http", "ssh", "git", "file"
TRUSTED = frozenset({HTTPS, SSH})
"""Encrypted, and sure of whom they talk to: what a definition may name unless the operator allows more."""
ANY = frozenset({HTTPS, HTTP, SSH, GIT, FILE})
"""What the operator himself may name."""

_MAX = 2048  # characters
_DEFAULT_PORTS = {HTTPS: 443, HTTP: 80, SSH: 22, GIT: 9418}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/]*)@)?([^/@]*)(/.*)?")
_SCP = re.compile(r"(?:([^/@:]*)@)?(\[[^\]/]*\]|[^/:@]+):(?!:)(.+)")
_TYPED = re.compile(r"[a-z][a-z0-9+.-]*://|[^/]+@[^/]+:", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)\.?(?::(\d{0,5}))?")
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9A-Fa-f]*)")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_SAFE = "/~!$&'()*+,;=:@"


class Address(NamedTuple):
    """Where a repository is. `port` is None for the scheme's own; `path` is decoded, and relative in `host:path`."""

    scheme: str
    user: str
    host: str
    port: int | None
    path: str


def parse(url: str) -> Address:
    """Read a URL, `user@host:path`, or an absolute path. ValueError says what is wrong, and quotes no secret."""
    if not url or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it is empty, or has spaces, control characters or backslashes in it")
    if url.startswith("/"):
        return _local(url)
    if match := _URL.fullmatch(url):
        scheme, path = match[1].lower(), unquote(match[4] or "", errors="strict")
        if scheme != FILE:
            return _network(scheme, match[2] or "", match[3], path)
        if not match[2] and match[3] in ("", "localhost"):
            return _local(path)
    elif match := _SCP.fullmatch(url):
        return _network(SSH, match[1] or "", match[2], match[3])
    raise ValueError("it is neither a URL such as https://host/path.git, nor user@host:path, nor an absolute path")


def _local(path: str) -> Address:
    if not path.startswith("/") or not path.isprintable():
        raise ValueError("the path of a local repository must be absolute")
    return Address(FILE, "", "", None, path)


def _network(scheme: str, user: str, place: str, path: str) -> Address:
    if scheme not in ANY:
        raise ValueError(f'"{printable(scheme, 32)}" is no protocol of Git; use {HTTPS} or {SSH}')
    if ":" in user or (user and scheme != SSH) or (not user and "@" in path.partition("/")[0]):
        raise ValueError("a user name or password stands in it: these belong into the secret")
    match = _HOST.fullmatch(place)
    port = int(match[2] or 0) if match else 0
    if not match or (user and not _USER.fullmatch(user)) or port > 65535 or not _is_host(match[1]):
        raise ValueError("the user, host or port in it is not valid")
    if _clean(path) == "/" or path.startswith("-") or not path.isprintable() or re.search(r"[?#\\]", path):
        raise ValueError("the path in it is not that of a repository")
    return Address(scheme, user, match[1].lower(), port if port not in (0, _DEFAULT_PORTS[scheme]) else None, path)


def _is_host(host: str) -> bool:
    """Numbers are addresses in their usual form only: others hide which one is meant."""
    return bool(_ip(host)) if host.startswith("[") or _NUMBER.fullmatch(host) else True


def problem(url: str, allowed: Collection[str] = TRUSTED) -> str | None:
    """Return why *url* is refused, without quoting it, or None when it may be used.

    Plain http and git, which anybody on the way can read and change, are always allowed to this machine itself.
    """
    try:
        address = parse(url)
    except ValueError as error:
        return str(error)
    if len(url) > _MAX:
        return f"it is longer than {_MAX} characters"
    if (ip := _ip(address.host)) and ip.is_link_local:
        return "it leads to a link-local address, where machines keep secrets of their own"
    if address.scheme in allowed or (address.scheme in (HTTP, GIT) and is_loopback(address.host)):
        return None
    names = " or ".join(sorted(allowed))
    return f"the protocol {address.scheme} is not allowed; use {names}, or allow it with GIT_ALLOW_PROTOCOL"


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine."""
    return host == "localhost" or bool((ip := _ip(host)) and ip.is_loopback)


def canonical(url: str) -> str:
    """Return the one spelling of all addresses of a repository: however it is reached, with `.git` or not.

    It identifies and is not for use. Two local paths that differ in `.git` are two repositories. ValueError as `parse`.
    """
    address = parse(url)
    if address.scheme == FILE:
        return "file://" + quote(re.sub(r"(/\.git)+$", "", _clean(address.path)) or "/", _SAFE)
    return f"{HTTPS}://{place(address)}{quote(_without_suffix(address.path), _SAFE)}"


def is_typed(text: str | None) -> bool:
    """Whether what somebody typed is an address, and no path on this machine."""
    return bool(_TYPED.match(text or ""))


def branch_at(url: str, branch: str) -> str:
    """Name a *branch* of the repository at *url*, the same for all spellings of it. ValueError as `parse`."""
    return f"{canonical(url)}#{branch}"


def split_branch(name: str) -> tuple[str, str]:
    """Return the canonical address and the branch in what `branch_at` made; without address it is a plain branch."""
    address, separator, branch = name.partition("#")
    return (address, branch) if separator and "://" in address else ("", name)


def is_elsewhere(name: str) -> bool:
    """Whether *name* is a branch of another repository than the one that drives everything."""
    return bool(split_branch(name)[0])


def covers(prefix: str, url: str) -> bool:
    """Whether *url* has the scheme, host and port of *prefix*, and its path or one below it. ValueError as `parse`."""
    address, bound = parse(url), parse(prefix.removesuffix("/") + "/_")
    if (address.scheme, address.host, address.port) != (bound.scheme, bound.host, bound.port):
        return False
    above = _without_suffix(_clean(bound.path).removesuffix("/_"))
    return f"{_without_suffix(address.path)}/".startswith(f"{above.rstrip('/')}/")


def public(url: str) -> str:
    """Return *url* without what could be a password; the user whom ssh logs in as is none."""
    try:
        parse(url)  # which refuses passwords
    except ValueError:
        return re.sub(r"//.*@|^[^/@]*:[^/]*@", lambda match: "//" if "//" in match[0] else "", url)
    return url


def shown(url: str) -> str:
    """Return *url* for people to read: in one line, without what could be a password."""
    return printable(public(url), 256)


def place(address: Address) -> str:
    """Return host and port, as in a URL."""
    return address.host if address.port is None else f"{address.host}:{address.port}"


def _clean(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _without_suffix(path: str) -> str:
    return re.sub(r"(?<=[^/.])(?:\.git)+$", "", _clean(path))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
