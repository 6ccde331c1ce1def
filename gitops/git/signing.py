"""How a commit is signed with an SSH key."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

from gitops.errors import GitOpsError
from gitops.git.commits import Sign

_TIME_LIMIT = 30.0  # seconds


def ssh_signer(key_path: Path) -> Sign:
    """Return what signs a commit's bytes with the private key at *key_path*. Its GitOpsError says what is wrong.

    The key must have no passphrase: nobody is there to type it.
    """
    return partial(_sign, key_path)


def _sign(key_path: Path, payload: bytes) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(key_path.absolute())],
            input=payload,
            capture_output=True,
            timeout=_TIME_LIMIT,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=True,  # no terminal to ask for a passphrase on
            check=True,
        )
    except FileNotFoundError as error:
        raise GitOpsError("commit.signingKey is set, but ssh-keygen is missing: install OpenSSH") from error
    except subprocess.TimeoutExpired as error:
        raise GitOpsError(f"ssh-keygen did not sign with {key_path} within {_TIME_LIMIT:.0f} s") from error
    except subprocess.CalledProcessError as error:
        cause = error.stderr.decode("utf-8", "replace").strip()
        raise GitOpsError(f"cannot sign with {key_path}: {cause}; it must be a key without a passphrase") from error
    return done.stdout.decode("ascii")
