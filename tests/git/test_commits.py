"""A commit says what it was told to, to git and to us."""

import shutil
import subprocess

import pytest

from gitops.core.tree import EMPTY
from gitops.errors import GitOpsError
from gitops.git.commits import Identity, decode
from gitops.git.signing import ssh_signer

ME = Identity("gitops", "gitops@localhost")


def test_git_shows_what_was_written(repo, root, git):
    first = repo.objects.commit(EMPTY, [], ME, 1_700_000_000, "first")
    message = "subject é\n\nbody\n\nKey: value\n\n\n"
    oid = repo.objects.commit(EMPTY, [first, first], Identity("Jö <x>\n", "a@b"), 1_700_000_001, message)
    repo.objects.flush()
    shown = git(root, "show", "-s", "--date=raw", "--format=%P|%an|%ae|%ad|%cn|%ce|%cd|%B<", oid.hex())
    person = "Jö x|a@b|1700000001 +0000"
    assert shown == f"{first.hex()} {first.hex()}|{person}|{person}|subject é\n\nbody\n\nKey: value\n<"
    info = repo.objects.read_commit(oid)
    assert info.parents == (first, first)
    assert (info.author_name, info.author_email, info.when, info.committed) == (
        "Jö x",
        "a@b",
        1_700_000_001,
        1_700_000_001,
    )
    assert info.message == "subject é\n\nbody\n\nKey: value\n"
    assert info.subject == "subject é"


def test_what_git_cannot_store_is_left_out(repo, root, git):
    identity = Identity.parse("Na\0me\n with <mail>@x>")
    oid = repo.objects.commit(EMPTY, [], identity, 1, "a\0b \udcff\n")
    repo.objects.flush()
    assert git(root, "show", "-s", "--format=%an|%ae|%s", oid.hex()) == "Name with|mail@x|ab ?"
    git(root, "fsck", "--strict")


@pytest.mark.parametrize("text", ["gitops <gitops@localhost>", "A B. C <>"])
def test_an_identity_is_read_from_the_form_of_git(text):
    name, email = Identity.parse(text)
    assert f"{name} <{email}>" == text


TREE = b"tree " + EMPTY.hex().encode() + b"\n"


@pytest.mark.parametrize(
    ("raw", "name", "when", "message"),
    [
        (b"author J\xf6rg <j@x> 5 +0200\ncommitter C <c@x> 7 -0100\nencoding latin-1\n\nf\xfcr", "Jörg", 5, "für"),
        (b"author A <a@x> 5 +0000\ncommitter C <c@x> 7 +0000\nencoding klingon\n\nm", "A", 5, "m"),
        (b"author nobody\ncommitter C <c@x>\n\nm\xff", "nobody", 0, "m\ufffd"),
        (b"author A <a@x> 5 +0000\ncommitter C <c@x> 7 +0000\ngpgsig -----BEGIN\n tree 1\n -----END\n\nm", "A", 5, "m"),
        (b"", "", 0, ""),
    ],
)
def test_commits_of_other_tools_are_read_as_far_as_they_go(raw, name, when, message):
    info = decode(b"x" * 20, TREE + raw)
    assert (info.tree, info.author_name, info.when, info.message) == (EMPTY, name, when, message)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_signed_commit_is_one_that_git_verifies(repo, root, git, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"gitops@localhost {key.with_suffix('.pub').read_text()}")
    oid = repo.objects.commit(EMPTY, [], ME, 1_700_000_000, "signed", ssh_signer(key))
    repo.objects.flush()
    git(root, "fsck", "--strict")
    git(root, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", oid.hex())
    assert repo.objects.read_commit(oid).message == "signed\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_key_that_cannot_sign_is_named(tmp_path):
    with pytest.raises(GitOpsError, match=r"cannot sign with .*missing"):
        ssh_signer(tmp_path / "missing")(b"x")
    key = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key], check=True)
    with pytest.raises(GitOpsError, match="without a passphrase"):
        ssh_signer(key)(b"x")


def test_a_missing_ssh_keygen_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitOpsError, match="install OpenSSH"):
        ssh_signer(tmp_path / "key")(b"x")
