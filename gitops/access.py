"""Whose credentials are used where: those that a state store's definition names, and those of the repository itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops.api.statestore import GitStateStoreSpec
from gitops.core import urls
from gitops.errors import SecretNotFoundError
from gitops.git.credentials import BasicAuth, Credentials, Secret, SSHKey
from gitops.git.github_app import APP_ID, GitHubApp
from gitops.secrets import Secrets

REPOSITORY = ("default", "gitops-repository")
"""Namespace and name of the secret for `--repo URL`."""

WEBHOOK = ("default", "gitops-webhook")
"""The secret, with the key `token`, by which calls of `run --listen` are told from those of strangers."""

_METHODS: Mapping[str, Callable[[Secret], Credentials]] = {
    "basicAuth": BasicAuth,
    "ssh": SSHKey,
    "githubApp": GitHubApp,
}


def protocols(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the protocols by which definitions may reach other repositories; the operator can allow more."""
    given = environment.get("GIT_ALLOW_PROTOCOL")
    return urls.TRUSTED if given is None else frozenset(given.split(":"))


def of_store(spec: GitStateStoreSpec, secrets: Secrets) -> Credentials | None:
    """Return the credentials of a state store; None when it names none."""
    ref = spec.secret_ref
    return _METHODS[spec.auth_method](secrets.find(ref.namespace, ref.name)) if ref else None


def of_repository(url: str, secrets: Secrets) -> Credentials | None:
    """Return the credentials for `--repo URL`; None when there is no such secret, which only ssh cannot do without.

    Its keys tell the method. ValueError for a bad address, SecretNotFoundError for a secret that cannot be read.
    """
    secret = secrets.find(*REPOSITORY)
    if urls.parse(url).scheme == urls.SSH:
        return SSHKey(secret)
    try:
        app = secret.get(APP_ID)
    except SecretNotFoundError:
        if secret.exists():
            raise
        return None
    return GitHubApp(secret) if app else BasicAuth(secret)
