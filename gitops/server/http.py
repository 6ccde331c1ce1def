"""The server: a few short answers, to a few at once, each within a few seconds."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import structlog

from gitops import logs
from gitops.errors import UsageError
from gitops.pulse import Pulse
from gitops.server.metrics import CONTENT_TYPE, metrics
from gitops.server.webhook import MAX_BODY, Webhook

_AT_ONCE = 32  # connections; more are closed at once
_PATIENCE = 5.0  # seconds for a whole request
_TICK = 0.1  # seconds after which it is seen that it is to be closed

log = structlog.get_logger("gitops")


class Server:
    """Listens on *host* and *port*, in threads of its own, until it is closed. UsageError when it cannot."""

    def __init__(self, host: str, port: int, pulse: Pulse, webhook: Webhook) -> None:
        try:
            self._server = _Bounded((host, port), pulse, webhook)
        except OSError as error:
            raise UsageError(f"--listen {host}:{port}: {error.strerror or error}") from error
        self.port: int = self._server.server_address[1]
        serve = partial(self._server.serve_forever, poll_interval=_TICK)
        threading.Thread(target=serve, name="server", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


class _Bounded(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2 * _AT_ONCE

    def __init__(self, address: tuple[str, int], pulse: Pulse, webhook: Webhook) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.pulse, self.webhook = pulse, webhook
        self._room = threading.Semaphore(_AT_ONCE)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the DNS for a name that nobody needs, as `HTTPServer` does."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be had
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody hung up or was too slow: that is nobody's business. Anything else is a bug of ours."""
        error = sys.exception()
        if error and not isinstance(error, ConnectionError | TimeoutError):
            log.error("request failed", **logs.bug(error))


class _Handler(BaseHTTPRequestHandler):
    """One request; the connection ends with it."""

    server: _Bounded
    server_version, sys_version = "gitops", ""

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_Hurried(self.connection, time.monotonic() + _PATIENCE))

    def do_GET(self) -> None:
        pulse, path = self.server.pulse, self._asked()
        if path == "/healthz":
            self._probe(pulse.alive, "a pass does not end")
        elif path == "/readyz":
            self._probe(pulse.ready, "the last pass failed, or none was made yet")
        elif path == "/metrics":
            self._answer(200, metrics(pulse.vitals()), CONTENT_TYPE)
        else:
            self._answer(404, "there are /healthz, /readyz, /metrics and, to POST to, /webhook")

    do_HEAD = do_GET  # noqa: N815 - the name that is called

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._asked() != "/webhook":
            self._answer(404, "there is only /webhook to POST to")
        elif not length.isascii() or not length.isdigit():
            self._answer(411, "Content-Length is missing")
        elif len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self._answer(413, f"more than {MAX_BODY} bytes")
        else:
            code = self.server.webhook.call(self.headers, self.rfile.read(int(length)))
            self._answer(code, _SAID[code])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request that `do_…` is for, in plain text as everything."""
        self._answer(code, message or HTTPStatus(code).phrase)

    def _probe(self, good: bool, otherwise: str) -> None:
        self._answer(200 if good else 503, "ok" if good else otherwise)

    def _asked(self) -> str:
        return self.path.partition("?")[0]

    def _answer(self, code: int, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        body = f"{text.rstrip()}\n".encode()
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """What strangers ask is not logged."""


_SAID = {202: "thank you", 401: "not signed with the secret", 403: "the secret of the webhook cannot be read"}


class _Hurried(io.RawIOBase):
    """What a connection sends, until a *deadline* (of `time.monotonic`): slow ones hold nothing up."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
