"""`gitops run --listen`: health, readiness, figures, and the call that wakes the daemon; whoever asks is a stranger."""

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import time
from contextlib import closing

import pytest
import structlog
from support.definitions import destination, work
from support.platform import Platform

from gitops.cli.main import main
from gitops.pulse import Pulse
from gitops.server.http import Server
from gitops.server.webhook import MAX_BODY, Webhook
from gitops.writing import Outcome

TOKEN = "open sesame"


class Asked:
    """A server with a pulse that the test feels, and the number of times it was rung."""

    def __init__(self):
        self.now, self.rung = 1000.0, 0
        self.token = TOKEN
        self.pulse = Pulse(lambda: self.now)
        self.server = Server("127.0.0.1", 0, self.pulse, Webhook(lambda: self.token, self._ring))

    def _ring(self):
        self.rung += 1

    def __call__(self, method, path, body=None, **headers):
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def call(self, body=b"{}", token=TOKEN, header="X_Hub_Signature_256", **headers):
        signature = "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
        return self("POST", "/webhook", body, **{header: signature}, **headers)[0]


@pytest.fixture
def ask():
    asked = Asked()
    yield asked
    asked.server.close()


def figures(text):
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def test_a_daemon_is_ready_once_a_pass_has_succeeded_and_until_one_fails(ask):
    assert ask("GET", "/readyz")[0] == 503
    with ask.pulse.passing():
        ask.pulse.succeeded([Outcome()], {})
    assert ask("GET", "/readyz") == (200, "ok\n")
    with pytest.raises(OSError, match="disk"), ask.pulse.passing():
        raise OSError("disk")
    assert ask("GET", "/readyz") == (503, "the last pass failed, or none was made yet\n")
    with ask.pulse.passing():
        assert ask("GET", "/readyz")[0] == 503
        ask.pulse.succeeded([Outcome()], {})
    with ask.pulse.passing():
        assert ask("GET", "/readyz")[0] == 200


def test_a_daemon_is_alive_unless_a_pass_does_not_end(ask):
    with ask.pulse.passing():
        assert ask("GET", "/healthz") == (200, "ok\n")
        ask.now += 3600
        assert ask("GET", "/healthz") == (503, "a pass does not end\n")
    assert ask("GET", "/healthz")[0] == 200


def test_figures_count_what_passes_did(ask):
    for outcomes in ([Outcome((b"1", b"2"), events=3)], [Outcome(problems=(1, 2))]):
        with ask.pulse.passing():
            ask.now += 2
            ask.pulse.succeeded(outcomes, {"Ready": 5, "Pending": 1})
    code, text = ask("GET", "/metrics")
    found = figures(text)

    assert code == 200
    assert found['gitops_passes_total{result="changed"}'] == 1
    assert found['gitops_passes_total{result="unchanged"}'] == 1
    assert found['gitops_passes_total{result="failed"}'] == 0
    assert (found["gitops_commits_total"], found["gitops_events_total"]) == (2, 3)
    assert (found['gitops_works{state="Ready"}'], found['gitops_works{state="Invalid"}']) == (5, 0)
    assert (found["gitops_problems"], found["gitops_pass_seconds_sum"]) == (2, 4)
    assert found["gitops_last_success_timestamp_seconds"] == ask.now
    assert found["process_resident_memory_bytes"] > 1 << 20


def test_figures_have_the_names_and_types_that_prometheus_expects(ask):
    text = ask("GET", "/metrics")[1]
    types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE"))
    helped = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    names = {name.partition("{")[0] for name in figures(text)}
    summed = {f"{name}_{end}" for name, kind in types.items() if kind == "summary" for end in ("sum", "count")}

    assert helped == list(types)
    assert names - summed == {name for name, kind in types.items() if kind != "summary"}
    assert {name for name in names if name.endswith(("_sum", "_count", "_bucket"))} == summed
    assert {name for name in names if name.endswith("_total")} == {name for name in types if types[name] == "counter"}


def test_figures_are_exact_however_large(ask):
    with ask.pulse.passing():
        ask.pulse.succeeded([Outcome()], {"Ready": 1_234_567})

    assert figures(ask("GET", "/metrics")[1])['gitops_works{state="Ready"}'] == 1_234_567


@pytest.mark.parametrize("header", ["X_Hub_Signature_256", "X_Hub_Signature", "X_Signature", "x_hub_signature_256"])
def test_a_signed_call_wakes(ask, header):
    assert ask.call(header=header) == 202
    assert ask.rung == 1


def test_gitlab_sends_the_token_itself(ask):
    assert ask("POST", "/webhook", b"{}", X_Gitlab_Token=TOKEN)[0] == 202
    assert ask("POST", "/webhook", b"{}", X_Gitlab_Token="open")[0] == 401
    assert ask.rung == 1


def test_who_has_not_the_secret_wakes_nobody(ask):
    assert ask.call(token="guess") == 401
    assert ask("POST", "/webhook", b"{}")[0] == 401
    assert ask("POST", "/webhook", b"{}", X_Hub_Signature_256="sha256=\xff")[0] == 401
    ask.token = None
    assert ask.call() == 403
    assert ask.rung == 0


def test_a_delivery_that_is_repeated_wakes_once(ask):
    assert [ask.call(X_GitHub_Delivery=number) for number in ("1", "1", "2")] == [202] * 3
    assert ask.rung == 2


def test_too_much_is_not_read(ask):
    assert ask("POST", "/webhook", None, Content_Length=str(MAX_BODY + 1))[0] == 413
    assert ask("POST", "/webhook", None, Content_Length="9" * 5000)[0] == 413
    assert ask("POST", "/webhook", None, Content_Length="-1")[0] == 411
    assert ask.call(b"x" * MAX_BODY) == 202


def test_there_is_nothing_else(ask):
    for method, path in (("GET", "/"), ("GET", "/../etc/passwd"), ("POST", "/metrics"), ("GET", "/webhook")):
        assert ask(method, path)[0] == 404
    assert ask("HEAD", "/healthz") == (200, "")


def test_what_is_asked_with_a_question_mark_is_answered(ask):
    assert ask("GET", "/healthz?verbose") == (200, "ok\n")
    assert ask("POST", "/webhook?x=y")[0] == 401


def test_what_is_no_request_is_told_so_in_plain_text(ask):
    assert ask("DELETE", "/webhook") == (501, "Unsupported method ('DELETE')\n")
    with closing(socket.create_connection(("127.0.0.1", ask.server.port), timeout=10)) as connection:
        connection.send(b"GET /healthz HTTP/x\r\n\r\n")
        assert b"<" not in connection.makefile("rb").read()


def hung_up(connection):
    """Whether the other side ended it."""
    connection.settimeout(10)
    with closing(connection), contextlib.suppress(ConnectionError):
        while connection.recv(1000):
            pass
    return True


def test_slow_ones_and_many_at_once_are_not_waited_for(ask, monkeypatch):
    monkeypatch.setattr("gitops.server.http._PATIENCE", 0.5)
    slow = [socket.create_connection(("127.0.0.1", ask.server.port)) for _ in range(40)]
    for each in slow:
        each.send(b"POST /webhook HTTP/1.1\r\nContent-Length: 9\r\n\r\n1")
    until = time.monotonic() + 10
    while True:
        try:
            assert ask("GET", "/healthz")[0] == 200
            break
        except (ConnectionError, http.client.HTTPException):
            assert time.monotonic() < until
            time.sleep(0.05)
    assert all(map(hung_up, slow))


def test_a_bug_is_logged_and_hangs_up(ask, monkeypatch):
    ask.server.close()
    ask.server = Server("127.0.0.1", 0, ask.pulse, Webhook(lambda: 1 // 0, ask._ring))
    with structlog.testing.capture_logs() as logged, pytest.raises(http.client.HTTPException):
        ask.call()

    (record,) = logged
    assert record["cause"] == "ZeroDivisionError: integer division or modulo by zero"
    assert "webhook.py" in record["bug"]


def test_where_no_thread_can_be_had_there_is_room_again_later(ask, monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch, structlog.testing.capture_logs():
        patch.setattr("threading.Thread.start", start)
        for _ in range(40):
            assert hung_up(socket.create_connection(("127.0.0.1", ask.server.port)))

    assert ask("GET", "/healthz")[0] == 200


def heard(daemon, *events):
    """Wait until the daemon's log tells one of *events*, and return that record."""
    return next(record for line in daemon.popen.stderr if (record := json.loads(line))["event"] in events)


def test_a_daemon_that_looks_once_an_hour_is_woken(command, tmp_path):
    platform = Platform(tmp_path / "platform.git")
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    command.secret("gitops-webhook", {"token": TOKEN})
    token = command.secrets / "default" / "gitops-webhook" / "token"
    arguments = ["--repo", platform.path.as_uri(), "run", "--interval", "1h", "--listen", "127.0.0.1:0", "--verbose"]
    with command.daemon(*arguments) as daemon:
        asked = Asked.__new__(Asked)
        asked.server = type("There", (), {"port": heard(daemon, "listening")["port"]})
        heard(daemon, "nothing to do", "reconciled")
        assert asked("GET", "/readyz")[0] == 200
        platform.commit({"works/redis.yaml": work("redis", env="dev")})
        assert asked.call() == 202
        assert heard(daemon, "reconciled")["reason"] == "webhook"
        assert figures(asked("GET", "/metrics")[1])['gitops_works{state="Ready"}'] == 1
        command.secret("gitops-webhook", {"token": "another"})
        assert (asked.call(), asked.call(token="another")) == (401, 202)
        token.unlink()
        token.mkdir()  # which nobody can read
        assert asked.call() == 403
    assert platform.files("state/dev/dependencies/redis")


def test_where_it_cannot_listen_it_does_not_start(platform, capsys):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert main(["--repo", str(platform.path), "run", "--listen", f"127.0.0.1:{port}"]) == 2
    assert f"--listen 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err
    assert main(["--repo", str(platform.path), "run", "--once", "--listen", ":0"]) == 2
