"""A smart-HTTP server of Git on this machine, for the demo: nginx asks for a password, and git-http-backend answers."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gitops.errors import GitOpsError

HOST, USER = "127.0.0.1", "daemon"

# nginx and fcgiwrap are where not everybody's PATH leads
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_BACKENDS = ("/usr/lib/git-core/git-http-backend", "/usr/libexec/git-core/git-http-backend")
_PATIENCE = 10.0  # seconds
_CONFIG = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen {host}:{port};
    auth_basic git; auth_basic_user_file {folder}/passwords;
    location / {{
      fastcgi_pass unix:{folder}/cgi; fastcgi_request_buffering off;
      fastcgi_param SCRIPT_FILENAME {backend}; fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string;
      fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER $remote_user; fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param PATH_INFO $uri;
    }}
  }}
}}
"""


@contextmanager
def serving(root: Path, folder: Path, password: str) -> Iterator[str]:
    """Serve the repositories below *root* to USER with *password*, at the address that is yielded.

    *folder* takes the server's files; its path must be short, for it holds a socket. GitOpsError where packages are
    missing, or a path could not stand in a configuration file.
    """
    nginx, fcgiwrap = _program("nginx"), _program("fcgiwrap")
    backend = next((path for path in _BACKENDS if Path(path).exists()), None) or _program("git-http-backend")
    if any(not path.isprintable() or set(path) & set(" ;{}\"'$\\") for path in (str(root), str(folder))):
        raise GitOpsError(f"nginx cannot serve {root}: give a path without blanks, quotes, braces and semicolons")
    port = _free_port()
    (folder / "passwords").write_text(f"{USER}:{{PLAIN}}{password}\n")
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, root=root, backend=backend, host=HOST, port=port))
    with ExitStack() as running:
        _start(running, [fcgiwrap, "-c", "2", "-s", f"unix:{folder}/cgi"], folder)
        _start(running, [nginx, "-p", str(folder), "-e", f"{folder}/nginx.log", "-c", str(config)], folder)
        _await(port)
        yield f"http://{HOST}:{port}"


def new_password() -> str:
    """Make up a password."""
    return secrets.token_hex(16)


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise GitOpsError(f"{name} is not installed; on Debian and Ubuntu: apt-get install git nginx-light fcgiwrap")
    return found


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _start(running: ExitStack, command: Sequence[str], folder: Path) -> None:
    environment = {"PATH": _PATH, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    log = running.enter_context((folder / "server.log").open("ab"))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    running.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    process.kill()


def _await(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    raise GitOpsError("nginx does not start")
