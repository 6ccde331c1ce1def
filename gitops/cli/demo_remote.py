"""The demo with servers: a platform and its state store behind smart HTTP, a refusal, and what is said of it."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from gitops import authoring
from gitops.access import REPOSITORY
from gitops.cli.main import main
from gitops.demo import ADA, BRANCH
from gitops.demo_server import USER, new_password, serving
from gitops.git.repository import Repository

_HOOK = "#!/bin/sh\necho 'fleet is frozen until Monday, ask #release' >&2\nexit 1\n"
_STORE = """\
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: fleet}}
spec:
  url: {address}/fleet.git
  secretRef: {{name: fleet}}
  gitAuthor: {{name: Fleet, email: fleet@example.com}}
"""
_DESTINATION = """\
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: worker-1, labels: {env: dev}}
spec: {stateStoreRef: {kind: GitStateStore, name: fleet}}
"""
_WORK = """\
apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata: {name: redis}
spec:
  promiseName: redis
  resourceName: small
  workloadGroups:
  - directory: .
    destinationSelectors: [{matchLabels: {env: dev}}]
    workloads:
    - filepath: redis.yaml
      content: |
        {apiVersion: v1, kind: ConfigMap, metadata: {name: redis}, data: {size: small}}
"""


def tell(folder: Path) -> None:
    """Tell the story in *folder*, which is empty or not there. The servers end with it, the repositories stay."""
    folder.mkdir(exist_ok=True)
    platform = Repository.init(folder / "platform.git", BRANCH, bare=True)
    fleet = Repository.init(folder / "fleet.git", BRANCH, bare=True)
    for repo in (platform, fleet):
        with (repo.git_dir / "config").open("a") as config:
            config.write("[http]\n\treceivepack = true\n")
    password = new_password()
    _secrets(folder / "secrets", password)
    os.environ |= {"XDG_CACHE_HOME": str(folder.resolve() / "cache"), "GITOPS_SECRETS": str(folder / "secrets")}
    with (
        tempfile.TemporaryDirectory(prefix="gitops-") as server,
        serving(folder.resolve(), Path(server), password) as address,
    ):
        _story(platform, fleet, address)
    print(f"\n# What they say of it: git -C {folder}/platform.git log -p; git -C {folder}/fleet.git log --stat")


def _secrets(folder: Path, password: str) -> None:
    for namespace, name in (REPOSITORY, ("default", "fleet")):
        secret = folder / namespace / name
        secret.mkdir(parents=True)
        for key, value in (("username", USER), ("password", password)):
            (secret / key).write_text(value)


def _story(platform: Repository, fleet: Repository, address: str) -> None:
    url = f"{address}/platform.git"
    print(
        "# Two repositories behind smart HTTP with a password: platform.git with definitions, fleet.git for documents."
    )
    files = {"statestores/fleet.yaml": _STORE.format(address=address), "destinations/worker-1.yaml": _DESTINATION}
    _commit(platform, {**files, "works/redis.yaml": _WORK}, "Describe the platform")
    hook = fleet.git_dir / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK)
    hook.chmod(0o755)
    print("# The server of fleet.git refuses at first:")
    _pass(url)
    _type(url, "get", "works,gitstatestores")
    _type(url, "get", "workplacements", "-o", _MESSAGE)
    print("\n# The freeze is over. The next pass finds out by itself:")
    hook.unlink()
    _pass(url)
    _type(url, "get", "works,gitstatestores")
    _type(url, "events", "--for", "gitstatestore/fleet", "-o", _EVENTS)


_MESSAGE = 'jsonpath={.items[*].status.conditions[?(@.type=="WriteSucceeded")].message}{"\\n"}'
_EVENTS = 'jsonpath={range .items[*]}{.type} {.reason}{"\\n"}{end}'


def _pass(url: str) -> None:
    """Make a pass; what it prints has a commit's id, which differs each time."""
    print("\n$ gitops --repo $URL run --once > /dev/null")
    with redirect_stdout(io.StringIO()):
        main(["--repo", url, "run", "--once"])


def _type(url: str, *arguments: str) -> None:
    """Show a command, and what it prints."""
    shown = (f"'{argument}'" if argument.startswith("jsonpath=") else argument for argument in arguments)
    print("\n$ gitops --repo $URL", *shown)
    main(["--repo", url, *arguments])


def _commit(repo: Repository, files: Mapping[str, str], message: str) -> None:
    raw = {path: text.encode() for path, text in files.items()}
    authoring.commit(repo, BRANCH, raw, ADA, datetime.now(UTC), message)
