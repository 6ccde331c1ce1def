"""Tokens of a GitHub App: asked for with its private key, kept in memory, and renewed before they expire."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from gitops.core import urls
from gitops.errors import TransportError
from gitops.git.credentials import CA, Lent, Secret, allow, basic, need

APP_ID, INSTALLATION_ID, APP_KEY, API_URL = "appID", "installationID", "privateKey", "apiURL"
GITHUB = "https://api.github.com"

_EARLY = 300.0  # seconds before its end in which a token is not used any more
_LIFETIME = 540  # seconds for which we vouch for a request; GitHub allows 600
_SKEW = 60  # seconds by which clocks may differ
_TIME_LIMIT = 15.0  # seconds
_MAX_ANSWER = 1 << 20  # bytes


class _Request(NamedTuple):
    api: str
    app: str
    installation: str
    key: str
    authority: str

    def digest(self) -> bytes:
        """Return what tells whether a token was made for the same request, so that a new key brings a new token."""
        return hashlib.sha256("\0".join(self).encode()).digest()


class _Token(NamedTuple):
    text: str
    expires: float
    made_for: bytes


class GitHubApp:
    """The installation of a GitHub App: keys `appID`, `installationID`, `privateKey`.

    Key `apiURL` names the API where it is not that of github.com. Without key `url`, tokens go only to the API's host.
    """

    def __init__(self, secret: Secret, now: Callable[[], float] = time.time) -> None:
        """*now* returns seconds since 1970."""
        self._secret, self._now = secret, now
        self._token: _Token | None = None
        self._fresh = False

    def lend(self, url: str, folder: Path) -> Lent:
        request = self._request()
        allow(self._secret, url, default=_host_of(request.api))
        self._fresh = not self._holds(request)
        if self._fresh:
            self._token = _obtain(request, self._now())
        assert self._token
        return basic(self._secret, url, "x-access-token", self._token.text, folder)

    def renew(self) -> bool:
        """Forget a token that may have been revoked; one that was just made is not made again."""
        self._token = None
        return not self._fresh

    def _holds(self, request: _Request) -> bool:
        token = self._token
        return bool(token and token.made_for == request.digest() and self._now() < token.expires - _EARLY)

    def _request(self) -> _Request:
        secret = self._secret
        installation = need(secret, INSTALLATION_ID).strip()
        if not installation.isdecimal():
            raise TransportError(f"{INSTALLATION_ID} of secret {secret} is not a number")
        api = (secret.get(API_URL) or GITHUB).strip().rstrip("/")
        reason = urls.problem(f"{api}/app", {urls.HTTPS})
        if reason:
            raise TransportError(f"{API_URL} of secret {secret} cannot be used: {reason}")
        return _Request(api, need(secret, APP_ID).strip(), installation, need(secret, APP_KEY), secret.get(CA) or "")


def _host_of(api: str) -> str:
    """Return the address of the repositories that belong to an API."""
    if api == GITHUB:
        return "https://github.com/"
    parts = urlsplit(api)
    return f"{parts.scheme}://{parts.netloc}/"


def _obtain(request: _Request, now: float) -> _Token:
    call = _call(request, now)
    try:
        with _opener(request.authority).open(call, timeout=_TIME_LIMIT) as answer:
            found = json.loads(answer.read(_MAX_ANSWER))
        expires = datetime.fromisoformat(found["expires_at"]).timestamp()
        return _Token(str(found["token"]), expires, request.digest())
    except urllib.error.HTTPError as error:
        error.close()
        raise TransportError(f"no token for the GitHub App: the API answered HTTP {error.code}") from None
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        trusted = not isinstance(cause, ssl.SSLError)
        told = "the API cannot be reached" if trusted else f"the TLS certificate of the API is not trusted (key {CA})"
        raise TransportError(f"no token for the GitHub App: {told}") from None
    except (ValueError, KeyError, TypeError):
        raise TransportError("no token for the GitHub App: the answer of the API cannot be read") from None


def _call(request: _Request, now: float) -> urllib.request.Request:
    return urllib.request.Request(  # noqa: S310 - https, see `GitHubApp._request`
        f"{request.api}/app/installations/{request.installation}/access_tokens",
        data=b"",
        headers={
            "Authorization": f"Bearer {_signed(request, now)}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "gitops",
        },
    )


def _signed(request: _Request, now: float) -> str:
    import jwt  # here: cryptography takes a tenth of a second to import, and few need it

    claims = {"iss": request.app, "iat": int(now) - _SKEW, "exp": int(now) + _LIFETIME}
    try:
        return jwt.encode(claims, request.key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise TransportError(f"{APP_KEY} of the GitHub App is not an RSA private key in PEM form") from None


def _opener(authority: str) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cadata=authority or None)
    return urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like another: what is secret goes to the one address that was given."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None
