"""Where secrets come from: mounted folders as Kubernetes makes them, or the environment, read anew each time."""

import pytest

from gitops.errors import SecretNotFoundError
from gitops.secrets import Secrets


@pytest.fixture
def mounted(tmp_path):
    """A folder as Kubernetes mounts it: keys are links to files below `..data`, which is a link itself."""
    folder = tmp_path / "secrets" / "team-a" / "github"
    for version in ("..1", "..2"):
        (folder / version).mkdir(parents=True)
        (folder / version / "password").write_text(f"canary{version}\n")
    (folder / "..data").symlink_to("..1")
    (folder / "password").symlink_to("..data/password")
    return folder


def test_a_mounted_key_is_read_without_its_line_break_and_anew(mounted, tmp_path):
    secret = Secrets(tmp_path / "secrets", {}).find("team-a", "github")
    assert secret.get("password") == "canary..1"
    (mounted / "..next").symlink_to("..2")
    (mounted / "..next").rename(mounted / "..data")
    assert secret.get("password") == "canary..2"
    assert secret.get("username") is None
    assert str(secret) == "team-a/github"


def test_a_key_may_stand_in_the_environment_and_the_folder_comes_first(mounted, tmp_path):
    environment = {"GITOPS_SECRET_TEAM_A_GITHUB_PASSWORD": "env", "GITOPS_SECRET_TEAM_A_GITHUB_CA_CRT": "ca\r\n"}
    secret = Secrets(tmp_path / "secrets", environment).find("team-a", "github")
    assert (secret.get("password"), secret.get("ca.crt")) == ("canary..1", "ca")
    secret = Secrets(None, environment).find("team-a", "github")
    assert (secret.get("password"), secret.get("sshPrivateKey")) == ("env", None)
    environment["GITOPS_SECRET_TEAM_A_GITHUB_SSHPRIVATEKEY"] = "key"
    assert secret.get("sshPrivateKey") == "key"


@pytest.mark.parametrize("folder", ["secrets", "missing", None])
def test_a_secret_that_is_nowhere_is_named_as_kratix_names_it(mounted, tmp_path, folder):
    secret = Secrets(folder and tmp_path / folder, {}).find("team-a", "gitlab")
    with pytest.raises(SecretNotFoundError, match="Secret gitlab not found in namespace team-a"):
        secret.get("password")


def test_a_key_that_cannot_be_read_is_named_and_not_quoted(mounted, tmp_path):
    secret = Secrets(tmp_path / "secrets", {}).find("team-a", "github")
    (mounted / "..1" / "password").write_bytes(b"canary\xff")
    with pytest.raises(
        SecretNotFoundError, match="key password of secret team-a/github cannot be read: it is not UTF-8"
    ):
        secret.get("password")
    (mounted / "username").mkdir()
    with pytest.raises(
        SecretNotFoundError, match="key username of secret team-a/github cannot be read: Is a directory"
    ):
        secret.get("username")
