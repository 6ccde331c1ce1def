"""Tokens of a GitHub App, from a server on loopback that checks what GitHub checks."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from support.servers import HOST, Secret

from gitops.errors import TransportError
from gitops.git.clones import open_clone
from gitops.git.github_app import GitHubApp
from gitops.git.remote import Remote

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
LIFETIME = 3600


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


class API(BaseHTTPRequestHandler):
    def do_POST(self):
        api = self.server
        api.asked.append(self.path)
        claims = jwt.decode(
            self.headers["Authorization"].removeprefix("Bearer "),
            api.key.public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False},
        )
        assert claims["iss"] == "123"
        assert claims["iat"] <= api.now < claims["exp"] <= api.now + 600
        expires = datetime.fromtimestamp(api.now + LIFETIME, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._answer({"token": f"canary-{len(api.asked)}", "expires_at": expires})

    def do_GET(self):  # as a Git server that lets nobody in
        self.server.asked.append(self.headers["Authorization"])
        self.send_error(401)

    def _answer(self, answer):
        status, body = self.server.fault or (201, json.dumps(answer))
        self.send_response(status)
        self.send_header("Location", f"http://{HOST}:1/")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def api(key):
    server = ThreadingHTTPServer((HOST, 0), API)
    server.asked, server.key, server.now, server.fault = [], key, NOW, None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def secret(api, key):
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    url = f"http://{HOST}:{api.server_port}"
    return Secret(appID="123", installationID="456", privateKey=pem.decode(), apiURL=f"{url}/api/v3/")


@pytest.fixture
def lend(api, secret, tmp_path):
    app = GitHubApp(secret, now=lambda: api.now)
    url = f"http://{HOST}:{api.server_port}/o/x"

    def run(url=url):
        return app.lend(url, tmp_path).hidden[0]

    run.app = app
    return run


def test_a_token_is_asked_for_once_and_renewed_five_minutes_before_its_end(api, lend):
    assert (lend(), lend()) == ("canary-1", "canary-1")
    assert api.asked == ["/api/v3/app/installations/456/access_tokens"]
    api.now += LIFETIME - 301
    assert lend() == "canary-1"
    api.now += 2
    assert lend() == "canary-2"


def test_another_installation_or_key_needs_another_token(lend, secret):
    assert lend() == "canary-1"
    secret["installationID"] = "789"
    assert lend() == "canary-2"


def test_a_token_that_is_refused_is_made_anew_once(api, secret, tmp_path):
    app = GitHubApp(secret, now=lambda: api.now)
    app.lend(f"http://{HOST}:{api.server_port}/o/x", tmp_path)
    remote = Remote(open_clone("https://h/x", tmp_path / "cache"), f"http://{HOST}:{api.server_port}/o/x", app)
    for _ in range(2):
        with pytest.raises(TransportError, match="it does not accept the credentials"):
            remote.fetch(["main"])
    posts = [asked for asked in api.asked if asked.startswith("/")]
    assert len(posts) == 3  # before, once anew, and in the second round
    assert len(set(api.asked) - set(posts)) == 3


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ((401, ""), "the API answered HTTP 401"),
        ((500, "canary"), "the API answered HTTP 500"),
        ((302, ""), "the API answered HTTP 302"),
        ((201, "nonsense canary"), "the answer of the API cannot be read"),
        ((201, "{}"), "the answer of the API cannot be read"),
        ((201, "[]"), "the answer of the API cannot be read"),
    ],
)
def test_what_the_api_answers_is_told_without_quoting_it(api, lend, fault, told):
    api.fault = fault
    with pytest.raises(TransportError) as error:
        lend()
    assert str(error.value) == f"no token for the GitHub App: {told}"
    api.fault = None
    assert lend().startswith("canary")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"privateKey": "canary"}, "privateKey of the GitHub App is not an RSA private key"),
        ({"installationID": "1/../2"}, "installationID of secret default/remote is not a number"),
        ({"appID": ""}, "appID not found in secret default/remote"),
        ({"apiURL": "http://api.example.org"}, "apiURL of secret default/remote cannot be used: .*not allowed"),
        ({"apiURL": f"http://{HOST}:1"}, "its key url does not allow the address"),
        ({"apiURL": f"http://{HOST}:1", "url": "http://127.0.0.1"}, "its key url does not allow the address"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named(lend, secret, keys, told):
    secret.update(keys)
    with pytest.raises(TransportError, match=told) as error:
        lend()
    assert "canary" not in str(error.value)


def test_an_api_that_cannot_be_reached_is_told(secret, tmp_path):
    secret["apiURL"] = f"http://{HOST}:1"
    with pytest.raises(TransportError, match="the API cannot be reached"):
        GitHubApp(secret).lend(f"http://{HOST}:1/x", tmp_path)


def test_without_bounds_a_token_goes_to_the_host_of_its_api_only(api, lend, secret):
    with pytest.raises(TransportError, match="its key url does not allow"):
        lend("https://evil.example.org/o/x")
    del secret["apiURL"]
    with pytest.raises(TransportError, match="its key url does not allow"):
        GitHubApp(secret).lend("https://evil.example.org/o/x", Path())
    assert api.asked == []
