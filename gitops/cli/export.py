"""The manifests that make an agent sync Destinations: apply them once, where Flux or Argo CD runs.

Flux gets in each cluster what is for its own Destination: name it. One Argo CD for all knows the clusters by the
names of the Destinations.

Dependencies are synced before resources where the canary documents keep both folders in Git. A Destination without
them (initWorkloads.enabled: false) is synced as one, whether or not there are documents.
"""

from __future__ import annotations

import argparse
import sys

from gitops.branches import Branches
from gitops.cli import origin
from gitops.cli.parser import Parser
from gitops.cli.repository import Opened, open_repository
from gitops.core import urls
from gitops.core.sketch import Sketch
from gitops.core.survey import Survey, survey
from gitops.core.targets import Target
from gitops.core.text import printable
from gitops.core.world import World
from gitops.errors import GitOpsError, NotFoundError, UsageError
from gitops.git.history import Lineage
from gitops.observe import observe
from gitops.views.agents import ARGOCD, FLUX, NAMESPACES, Folder, Wishes, manifests

_FETCHED = (urls.HTTPS, urls.HTTP, urls.SSH)  # both by Flux and by Argo CD


def add_arguments(parser: Parser) -> None:
    """Add what the command takes."""
    parser.add_argument("agent", metavar="flux|argocd", choices=(FLUX, ARGOCD), help="what syncs them")
    parser.add_argument(
        "destinations", metavar="DESTINATION", nargs="*", default=[], help="default: those with this spec.agent"
    )
    parser.add_argument("--url", help="this repository's address for the agent (default: that of --repo, or of origin)")
    parser.add_argument("--secret", default="", metavar="NAME", help="the Secret with which Flux reaches it")
    parser.add_argument("--namespace", "-n", metavar="NAME", help="of the agent (default: flux-system, argocd)")
    parser.add_argument("--in-cluster", action="store_true", help="each Destination has an Argo CD of its own")


def run(args: argparse.Namespace) -> int:
    """Print the manifests."""
    _refuse_what_is_for_the_other(args)
    opened = open_repository(args)
    branches = origin.branches(opened.repo, opened.origin, args)
    found = _survey(opened, branches)
    url = args.url or branches.shown
    folders = [_folder(found, target, url) for target in _chosen(found, args)]
    wishes = Wishes(args.namespace or NAMESPACES[args.agent], args.secret, args.in_cluster)
    sys.stdout.write(manifests(args.agent, folders, wishes))
    return 0


def _refuse_what_is_for_the_other(args: argparse.Namespace) -> None:
    if args.secret and args.agent != FLUX:
        raise UsageError("--secret is for flux: Argo CD finds the credentials of a repository by its address")
    if args.in_cluster and args.agent != ARGOCD:
        raise UsageError("--in-cluster is for argocd: Flux always runs in the cluster that it syncs")


def _survey(opened: Opened, branches: Branches) -> Survey:
    seen = observe(branches, opened.source, Lineage(opened.repo))
    if seen is None:
        raise NotFoundError(f"branch {opened.source} has no commit yet")
    return survey(World(), Sketch(opened.repo.objects), seen.seen)


def _chosen(found: Survey, args: argparse.Namespace) -> list[Target]:
    if missing := [name for name in args.destinations if name not in found.targets]:
        raise NotFoundError(f"no Destination {', '.join(map(printable, missing))} is defined")
    chosen = [found.targets[name] for name in dict.fromkeys(args.destinations)]
    chosen = chosen or [target for target in found.targets.values() if target.agent == args.agent and target.writable]
    if not chosen:
        raise NotFoundError(f"no Destination has spec.agent: {args.agent}; name those that are meant")
    return chosen


def _folder(found: Survey, target: Target, here: str) -> Folder:
    """Return where the documents of *target* stand for an agent. *here* is the address of this repository."""
    if target.writable is None:
        raise GitOpsError(f"Destination {target.name} cannot be synced: {target.reason}: {target.message}")
    address, branch = urls.split_branch(target.writable.branch)
    definitions = {store.key: definition for definition, store in found.git_stores()}
    url = definitions[target.store].spec.url if address else here
    if not url:
        raise UsageError("the agent needs an address, and this repository has no remote `origin`: give one with --url")
    return Folder(target.name, _reachable(url), branch, target.directory, target.mode, target.canary)


def _reachable(url: str) -> str:
    """Return an address in the form that all agents know: Flux has no `user@host:path`."""
    try:
        address = urls.parse(url)
        if address.scheme not in _FETCHED:
            raise ValueError(f"they fetch over {', '.join(_FETCHED)}")
    except ValueError as error:
        message = f"no agent reaches {urls.shown(url)}: {error} (--url gives another for this repository)"
        raise UsageError(message) from error
    if "://" in url:
        return url
    user = f"{address.user}@" if address.user else ""
    return f"ssh://{user}{urls.place(address)}/{address.path.lstrip('/')}"
