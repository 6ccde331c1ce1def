"""The call of a forge: there was a push. It is believed for its signature alone, and nothing that it says is read."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Callable
from email.message import Message

MAX_BODY = 1 << 20
"""Bytes."""

_SIGNATURES = ("X-Hub-Signature-256", "X-Hub-Signature", "X-Signature")  # GitHub, Forgejo, Bitbucket; Flux's way
_TOKEN = "X-Gitlab-Token"  # noqa: S105 - the name of a header
_DELIVERIES = ("X-GitHub-Delivery", "X-Gitea-Delivery", "X-Gitlab-Event-UUID", "X-Request-UUID")
_REMEMBERED = 1000  # deliveries

Headers = Message
"""Names in any case."""


class Webhook:
    """Rings for calls that are signed with the *secret*, which is asked for at each call; None refuses all."""

    def __init__(self, secret: Callable[[], str | None], ring: Callable[[], None]) -> None:
        self._secret, self._ring = secret, ring
        self._known: deque[str] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    def call(self, headers: Headers, body: bytes) -> int:
        """Return the status: 202 accepted, 401 not signed, 403 without a secret nobody can be believed."""
        secret = self._secret()
        if not secret:
            return 403
        if not is_signed(secret, headers, body):
            return 401
        delivery = next((headers[name] for name in _DELIVERIES if headers.get(name)), "")
        if not delivery or self._is_new(delivery):
            self._ring()
        return 202

    def _is_new(self, delivery: str) -> bool:
        with self._lock:
            known = delivery in self._known
            self._known.append(delivery)
            return not known


def is_signed(secret: str, headers: Headers, body: bytes) -> bool:
    """Whether somebody who has the *secret* sent it: a SHA-256 HMAC of the body, or GitLab's token."""
    if token := headers.get(_TOKEN):
        return hmac.compare_digest(token.encode(), secret.encode())
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(headers.get(name, "").encode(), wanted.encode()) for name in _SIGNATURES)
