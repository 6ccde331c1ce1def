"""What servers, ssh and the git command said, as messages that read the same each time and hold nothing unsafe.

For people only: what has happened is never decided by a text.
"""

from __future__ import annotations

import errno
import os
import re

from gitops.core.text import printable

_MAX = 400  # characters
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?|[\x00-\x08\x0b-\x1f\x7f]")
_PROGRESS = re.compile(r"(?:[A-Z][a-z]+ )+[a-z]+: +\d+%? .*|(?:[A-Z][a-z]+ )?[a-z]+: +\d+, done\.|Total \d+ .*", re.I)
_CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?[.,\d]*(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b[.,\d]*"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b", re.I), "<id>"),
    (re.compile(r"\b[A-Z0-9]{4}(?::[A-Z0-9]{3,8}){3,}\b"), "<id>"),
    (re.compile(r"\b(?:port |pid )\d+|(?<=[\w\]]):\d{4,5}\b"), "<port>"),
    (re.compile(r"/(?:tmp|dev/shm|run|var/tmp)/[^\s'\":,]+"), "<path>"),
    (re.compile(r"\b\d{6,}\b"), "<number>"),
)

_NO_ENTRY = "it does not accept the credentials, or asks for some and none are given"
_CAUSES = (
    (r"no user exists for uid (\d+)",
     r"ssh does not run for uid \1, which has no name here: add that user to /etc/passwd"),
    (r"could not resolve (?:host|hostname|proxy)|name or service not known", "its host name cannot be found"),
    (r"connection refused|failed to connect to", "its host refuses the connection"),
    (r"no route to host|network is unreachable", "its host cannot be reached"),
    (r"certificate subject name|does not match target host", "its TLS certificate is for another host"),
    (r"certificate (?:verification failed|problem)|unable to get local issuer",
     "its TLS certificate is not trusted: give the CA's certificate as key ca.crt of the secret"),
    (r"load key .*: (?:error in libcrypto|invalid format)",
     "the key sshPrivateKey of the secret is no private key of OpenSSH"),
    (r"permission denied \(.*publickey", "it does not accept the SSH key"),
    (r"returned error: 401|authentication failed|could not read (?:username|password)", _NO_ENTRY),
    (r"returned error: 403", "it does not allow this with these credentials (HTTP 403)"),
    (r"returned error: 429", "it has had too many requests (HTTP 429)"),
    (r"returned error: (5\d\d)", r"it failed by itself (HTTP \1)"),
    (r"returned error: 3\d\d|redirect", "it redirects elsewhere: give the address that it redirects to"),
    (r"returned error: 404|repository .*not found|does not appear to be a git repo|not exported|does not exist|"
     r"no such repository", "there is no repository at that address, or these credentials do not show it"),
    (r"dubious ownership", "the repository belongs to another user of this machine"),
    (r"no space left on device", "no space is left on the device"),
    (r"timed out|too slow", "it does not answer"),
    (r"early eof|hung up|disconnect|rpc failed|empty reply|connection (?:reset|closed|was)|reset by peer|broken pipe|"
     "could not read from remote",
     "the connection was cut"),
    (r"expected \w+|protocol error|bad line|is this a git repo", "it does not answer as a Git server does, or was cut"),
)  # fmt: skip
_OWN = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_FAULTS = tuple(f": {os.strerror(number)}" for number in _OWN)  # of this machine: all else that is said follows from it
_HOST_KEY = re.compile(r"host key verification failed|host key is known|identification has changed", re.I)
_FINGERPRINT = re.compile(r"server host key: (\S+ SHA256:[A-Za-z0-9+/]+)", re.I)


def cause(said: str, log: str = "") -> str:
    """Return why a git command failed, from what it *said* and the *log* of ssh."""
    if _HOST_KEY.search(said + log):
        found = _FINGERPRINT.search(log)
        return f"its SSH host key{f' {found[1]}' if found else ''} is not the one in key knownHosts of the secret"
    lines = [line for line in _lines(said) if re.match(r"(?:fatal|error|ERROR): ", line)] or list(_lines(said))
    if fault := next((line for line in lines if line.endswith(_FAULTS)), ""):
        return _told(fault)
    both = f"{log}\n{said}"
    for pattern, message in _CAUSES:
        if match := re.search(pattern, both, re.IGNORECASE):
            return match.expand(message)
    return _told(lines[-1]) if lines else "the git command failed without a word"


def _told(line: str) -> str:
    return stable(re.sub(r"^\w+: ", "", line))


def refusal(report: str, said: str) -> str:
    """Return why a server refused a push: the *report* of `git push --porcelain`, and what the server *said*."""
    found = re.findall(r"^!\t[^\t]*\t\[remote rejected\] \((.*)\)$", report, re.MULTILINE)
    reasons = [reason for reason in dict.fromkeys(found) if not reason.startswith("atomic ")] or found[:1]
    words = [line.removeprefix("remote: ").strip() for line in _lines(said) if line.startswith("remote: ")]
    return stable(": ".join(part for part in ("; ".join(reasons), " ".join(words)) if part))


def is_refusal(report: str) -> bool:
    """Whether the server got as far as saying no to a ref."""
    return "\t[remote rejected] (" in report


def stable(text: str) -> str:
    """Return *text* in one bounded line, without control characters, and without what differs each time."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return printable(" ".join(_ESCAPES.sub("", text).split()), _MAX)


def _lines(said: str) -> list[str]:
    """Return the lines of *said* without those that tell of progress, which what a server says may come amidst."""
    lines = [_ESCAPES.sub("", line).strip() for line in re.split(r"[\r\n]|(?=remote: )", said)]
    return [line for line in lines if line and not _PROGRESS.fullmatch(line.removeprefix("remote: ").strip())]
