"""Real Git servers on loopback: smart HTTP behind nginx, with and without TLS, sshd, `git daemon`, and broken ones.

    with Servers(folder) as servers:
        servers.make("x")                     a bare repository, which all of them serve
        servers.url("https", "x"), servers.secret("https")
        servers.log("nginx")                  what a server wrote

All serve one folder. A kind of server starts when it is asked for first, and ends with the context.
"""

import datetime
import getpass
import ipaddress
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from multiprocessing.connection import wait
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
# One password a process: who looks whether it is seen anywhere sees what others on this machine type, too.
USER, PASSWORD = "daemon", f"canary-password-{os.urandom(4).hex()}"
STATUSES = (403, 404, 429, 500, 503)
KINDS = ("file", "git", "http", "https", "ssh")
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
_BACKENDS = ("/usr/lib/git-core/git-http-backend", "/usr/libexec/git-core/git-http-backend")
_PATIENCE = 60.0  # seconds, of which a machine that has other work as well may need many


def program(name: str) -> str:
    """Find a server's program; without it the test is skipped, but not in CI."""
    found = shutil.which(name, path=_PATH)
    if not found and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed"
    return found


class Secret(dict[str, str]):
    """A secret that a test can change."""

    def __str__(self) -> str:
        return "default/remote"


class Servers:
    def __init__(self, folder: Path) -> None:
        """*folder* must have a short path, for it holds sockets."""
        self.folder, self.root = folder, folder / "root"
        self.root.mkdir()
        self._stack = ExitStack()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def make(self, name: str) -> Path:
        """Make an empty repository, or make it anew."""
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], env=self._environment, check=True)
        with (path / "config").open("a") as file:
            file.write("[http]\n\treceivepack = true\n[receive]\n\tfsckObjects = true\n")
        return path

    def path(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def url(self, kind: str, name: str) -> str:
        """Return the address of a repository, after starting the server."""
        match kind:
            case "file":
                return f"file://{self.path(name)}"
            case "git":
                return f"git://{HOST}:{self.git_port}/{name}.git"
            case "http":
                return f"http://{HOST}:{self.web_ports[0]}/private/{name}.git"
            case "https":
                return f"https://{HOST}:{self.web_ports[1]}/private/{name}.git"
            case "ssh":
                return f"ssh://{getpass.getuser()}@{HOST}:{self.ssh_port}{self.path(name)}"
        raise ValueError(kind)

    def secret(self, kind: str) -> Secret | None:
        """Return what a server of *kind* wants to see."""
        match kind:
            case "http" | "https":
                authority = {"ca.crt": (self.folder / "tls.crt").read_text()} if kind == "https" else {}
                return Secret(username=USER, password=PASSWORD, **authority)
            case "ssh":
                known = (self.folder / "host.pub").read_text().split()
                host = f"[{HOST}]:{self.ssh_port} {known[0]} {known[1]}"
                return Secret(sshPrivateKey=(self.folder / "user").read_text(), knownHosts=host)
        return None

    def passwords(self, **people: str) -> None:
        """Set who may use the web server; it counts from the next request on."""
        (self.folder / "passwords").write_text("".join(f"{who}:{{PLAIN}}{what}\n" for who, what in people.items()))

    def log(self, server: str) -> str:
        return (self.folder / f"{server}.log").read_text("utf-8", "replace")

    @cached_property
    def git_port(self) -> int:
        port = free_port()
        options = ("--export-all", "--enable=receive-pack", "--informative-errors", "--reuseaddr")
        self._start(
            "git", "daemon", f"--listen={HOST}", f"--port={port}", f"--base-path={self.root}", *options, listens=port
        )
        return port

    @cached_property
    def web_ports(self) -> tuple[int, int]:
        """The ports for http and https."""
        nginx, wrapper = program("nginx"), program("fcgiwrap")
        backend = next((path for path in _BACKENDS if Path(path).exists()), None) or program("git-http-backend")
        ports = free_port(), free_port()
        self.passwords(**{USER: PASSWORD})
        make_certificate(self.folder / "tls")
        config = self.folder / "nginx.conf"
        statuses = " ".join(f"location /status/{status}/ {{ return {status}; }}" for status in STATUSES)
        values = {"folder": self.folder, "backend": backend, "host": HOST, "http": ports[0], "https": ports[1]}
        config.write_text(_NGINX.format(**values, statuses=statuses))
        self._start(wrapper, "-c", "2", "-s", f"unix:{self.folder}/cgi")
        self._start(
            nginx, "-p", str(self.folder), "-e", f"{self.folder}/nginx.err", "-c", str(config), listens=ports[0]
        )
        return ports

    @cached_property
    def ssh_port(self) -> int:
        sshd, port = program("sshd"), free_port()
        for name in ("host", "user"):
            make_ssh_key(self.folder / name)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd.conf"
        config.write_text(_SSHD.format(folder=self.folder, port=port, host=HOST))
        self._start(sshd, "-D", "-e", "-f", str(config), listens=port)
        return port

    @cached_property
    def _environment(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir()
        return {"PATH": _PATH, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}

    def _start(self, *command: str, listens: int | None = None) -> None:
        log = self._stack.enter_context((self.folder / f"{Path(command[0]).name}.log").open("wb"))
        process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment, start_new_session=True)
        self._stack.callback(_end, process)
        until(
            lambda: listens is None or process.poll() is not None or _answers(listens), f"{command[0]} does not start"
        )
        assert process.poll() is None, self.log(Path(command[0]).name)


class Line:
    """A line to a server that can be cut: after *limit* bytes of answers it closes; None passes all on."""

    def __init__(self, target: int) -> None:
        self.limit: int | None = None
        self._target = target
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                with client, socket.create_connection((HOST, self._target)) as server, suppress(OSError):
                    self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        answered = 0
        while True:
            for source in wait([client, server]):  # `select` knows no more than 1024 open files
                chunk = source.recv(1 << 16)
                answered += len(chunk) if source is server else 0
                if not chunk or (self.limit is not None and answered > self.limit):
                    return
                (client if source is server else server).sendall(chunk)


class Silent:
    """A server that accepts, or seems to, and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]

    def accept(self) -> socket.socket:
        """Return the line to somebody who has called."""
        self._listener.settimeout(_PATIENCE)
        return self._listener.accept()[0]

    def expect_nobody(self) -> None:
        """Fail when somebody has called."""
        assert not wait([self._listener], 0)

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


def hook(repository: Path, name: str, script: str) -> None:
    """Install a hook of a server's repository."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def make_certificate(path: Path) -> None:
    """Make a certificate for 127.0.0.1 that is its own authority, as `.crt` and `.key`."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(_pem(key, serialization.PrivateFormat.PKCS8))


def make_ssh_key(path: Path) -> None:
    """Make a key of OpenSSH, and its public half as `.pub`."""
    key = ed25519.Ed25519PrivateKey.generate()
    path.touch(0o600)
    path.write_bytes(_pem(key, serialization.PrivateFormat.OpenSSH))
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public + b"\n")


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, form: serialization.PrivateFormat) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    with suppress(subprocess.TimeoutExpired):
        process.wait(2)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0; keepalive_timeout 5;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen {host}:{http}; listen {host}:{https} ssl;
    ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
    fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param GIT_PROJECT_ROOT {folder}/root;
    fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param GIT_PROTOCOL $http_git_protocol;
    fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string;
    fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param REMOTE_USER $remote_user; fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param PATH_INFO $1;
    fastcgi_request_buffering off;
    location ~ ^/private(/.*)$ {{
      auth_basic git; auth_basic_user_file {folder}/passwords; fastcgi_pass unix:{folder}/cgi;
    }}
    {statuses}
    location /moved/ {{ return 301 http://{host}:{http}/private/; }}
  }}
}}
"""
_SSHD = """
Port {port}
ListenAddress {host}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/user.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
KexAlgorithms curve25519-sha256
StrictModes no
SetEnv HOME={folder}/home GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
"""
