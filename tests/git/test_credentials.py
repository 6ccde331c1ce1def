"""Credentials: who gets in, who does not and why, where a secret may be sent, and that it is seen nowhere."""

import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from support.servers import HOST, PASSWORD, USER, Secret, hook, make_ssh_key

from gitops.core.tree import EMPTY
from gitops.errors import Refused, TransportError
from gitops.git.clones import open_clone
from gitops.git.commits import Identity
from gitops.git.credentials import BasicAuth, SSHKey, lent
from gitops.git.remote import Advance, Remote


@pytest.fixture
def there(servers):
    return servers.make("x")


@pytest.fixture
def here(tmp_path):
    return open_clone("https://example.org/x", tmp_path / "cache")


@pytest.fixture
def asked(servers, here, there):
    """Ask a server of a kind with a secret: the reason why not, or "" when it answers."""

    def run(kind, secret, url=""):
        credentials = secret and (SSHKey(secret) if kind == "ssh" else BasicAuth(secret))
        try:
            Remote(here, url or servers.url(kind, "x"), credentials).fetch(["main"])
        except TransportError as error:
            return str(error)
        return ""

    return run


def test_a_wrong_password_is_named_and_a_new_one_counts_at_once(servers, asked):
    servers.url("http", "x")
    secret = servers.secret("http")
    try:
        assert asked("http", secret) == ""
        servers.passwords(**{USER: "rotated"})
        assert asked("http", secret) == "it does not accept the credentials, or asks for some and none are given"
        secret["password"] = "rotated"
        assert asked("http", secret) == ""
        assert "asks for some and none are given" in asked("http", None)
    finally:
        servers.passwords(**{USER: PASSWORD})


def test_a_certificate_is_trusted_only_by_its_authority_and_for_its_host(servers, asked):
    servers.url("https", "x")
    secret = servers.secret("https")
    elsewhere = servers.url("https", "x").replace(HOST, "localhost")
    assert asked("https", secret, elsewhere) == "its TLS certificate is for another host"
    authority = secret.pop("ca.crt")
    assert "give the CA's certificate as key ca.crt" in asked("https", secret)
    secret["ca.crt"] = authority
    assert asked("https", secret) == ""


def test_an_ssh_host_is_trusted_only_by_its_key_whose_fingerprint_is_told(servers, asked, tmp_path):
    servers.url("ssh", "x")
    secret = servers.secret("ssh")
    known = secret["knownHosts"]
    make_ssh_key(tmp_path / "other")
    for wrong in (
        f"example.org {known.partition(' ')[2]}",
        f"{known.partition(' ')[0]} {read(tmp_path / 'other.pub')}",
    ):
        secret["knownHosts"] = wrong
        told = asked("ssh", secret)
        assert re.fullmatch(r"its SSH host key ssh-ed25519 SHA256:\S{43} is not the one in key knownHosts .*", told)
    secret["knownHosts"] = known
    assert asked("ssh", secret) == ""


def test_an_ssh_key_that_is_not_accepted_or_none_is_named(servers, asked, tmp_path):
    servers.url("ssh", "x")
    secret = servers.secret("ssh")
    make_ssh_key(tmp_path / "other")
    secret["sshPrivateKey"] = read(tmp_path / "other")
    assert asked("ssh", secret) == "it does not accept the SSH key"
    secret["sshPrivateKey"] = "nonsense"
    assert asked("ssh", secret) == "the key sshPrivateKey of the secret is no private key of OpenSSH"


@pytest.mark.parametrize(
    ("make", "missing"),
    [(BasicAuth, "username"), (BasicAuth, "password"), (SSHKey, "sshPrivateKey"), (SSHKey, "knownHosts")],
)
def test_a_key_that_is_missing_is_named(make, missing):
    keys = Secret(username="u", password="p", sshPrivateKey="k", knownHosts="h")
    del keys[missing]
    url = "https://h/x" if make is BasicAuth else "git@h:x"
    with pytest.raises(TransportError, match=f"{missing} not found in secret default/remote"), lent(make(keys), url):
        pass


def test_github_needs_no_user_name():
    with lent(BasicAuth(Secret(password="p")), "https://github.com/o/x") as given:
        assert given.environment["GIT_CONFIG_VALUE_0"] == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46cA=="
    with pytest.raises(TransportError), lent(BasicAuth(Secret(password="p")), "https://h/x"):
        pass


@pytest.mark.parametrize(
    ("make", "url"),
    [
        (BasicAuth, "http://example.org/x"),
        (BasicAuth, "git@h:x"),
        (BasicAuth, "/srv/x"),
        (BasicAuth, "git://127.0.0.1/x"),
        (SSHKey, "https://h/x"),
    ],
)
def test_a_secret_is_sent_only_the_way_it_is_meant_for(make, url):
    secret = Secret(username="u", password="p", sshPrivateKey="k", knownHosts="h")
    with pytest.raises(TransportError, match=r"address (such as|that begins with)"), lent(make(secret), url):
        pass


@pytest.mark.parametrize("make", [BasicAuth, SSHKey])
def test_a_bound_secret_goes_nowhere_else(make):
    form = "https://{}/x" if make is BasicAuth else "git@{}:x"
    secret = Secret(username="u", password="p", sshPrivateKey="k", knownHosts="h")
    secret["url"] = "\n".join(form.format(host) for host in ("one", "two"))
    for host in ("one", "two"):
        with lent(make(secret), form.format(host)):
            pass
    with pytest.raises(TransportError, match="its key url does not allow"), lent(make(secret), form.format("three")):
        pass
    secret["url"] = "nonsense"
    with pytest.raises(TransportError, match="key url of secret default/remote is not valid"):
        make(secret).lend(form.format("one"), Path())


def test_files_of_a_secret_are_private_and_gone_afterwards():
    secret = Secret(sshPrivateKey="k", knownHosts="h")
    with lent(SSHKey(secret), "git@h:x") as given:
        folder = given.log.parent
        assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
            ("key", "known_hosts", "config"), 0o600
        )
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from gitops.git import credentials

class Secret(dict):
    pass

credentials._MEMORY = Path(sys.argv[1])
with credentials.lent(credentials.SSHKey(Secret(sshPrivateKey="k", knownHosts="h")), "git@h:x"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_lent_to_a_process_that_was_killed_is_taken_back_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("gitops.git.credentials._MEMORY", tmp_path)
    others = tmp_path / "gitops-of-somebody"
    others.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    with lent(SSHKey(Secret(sshPrivateKey="k", knownHosts="h")), "git@h:x") as given:
        living = given.log.parent
        (dead,) = set(tmp_path.iterdir()) - {others, living}
        for folder in (others, living, dead):
            os.utime(folder, (0, 0))
        with lent(SSHKey(Secret(sshPrivateKey="k", knownHosts="h")), "git@h:x"):
            assert not dead.exists()
            assert (living / "key").exists()
            assert others.exists()


class Arguments(threading.Thread):
    """Looks at the arguments of all processes, again and again."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self._done = set(), threading.Event()

    def run(self):
        while not self._done.wait(0.002):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    self.seen.add(process.read_bytes())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self.join()


@pytest.mark.parametrize("kind", ["http", "https", "ssh"])
def test_a_secret_is_seen_nowhere(servers, here, there, kind, tmp_path, capfd):
    url, secret = servers.url(kind, "x"), servers.secret(kind)
    remote = Remote(here, url, SSHKey(secret) if kind == "ssh" else BasicAuth(secret))
    oid = here.objects.commit(EMPTY, [], Identity("a", "b"), 1, "x")
    here.objects.flush()
    told = []
    with Arguments() as arguments:
        remote.fetch(["main"])
        remote.push([Advance("main", None, oid)])
        hook(there, "pre-receive", "env >&2; exit 1")
        with pytest.raises(Refused) as refused:
            remote.push([Advance("other", None, oid)])
        told.append(str(refused.value))
        there.rename(servers.folder / f"gone-{os.urandom(4).hex()}")
        with pytest.raises(TransportError) as failed:
            remote.fetch(["main"])
        told.append(repr(failed.value))
    assert any(b"ls-remote" in line for line in arguments.seen)
    told += [*capfd.readouterr(), *(line.decode("utf-8", "replace") for line in arguments.seen)]
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    with lent(BasicAuth(secret) if kind != "ssh" else None, url) as given:
        encoded = given.environment.get("GIT_CONFIG_VALUE_0", "").rpartition(" ")[2]
    canaries = [secret["sshPrivateKey"].splitlines()[2]] if kind == "ssh" else [PASSWORD, encoded]
    for canary in canaries:
        assert canary
        assert [text for text in told if canary in text] == []


def read(path):
    return path.read_text()
