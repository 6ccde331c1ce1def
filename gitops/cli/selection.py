"""Which objects a command is about, in kubectl's words: TYPE, TYPE NAME…, TYPE/NAME…, `-n`, `-A`, `-l`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gitops.api.meta import GROUP
from gitops.cli.main import ServerError
from gitops.cli.parser import Parser
from gitops.cli.status import Snapshot
from gitops.errors import GitOpsError, UsageError
from gitops.views.events import DEFAULT_NAMESPACE
from gitops.views.gotext import quote
from gitops.views.kinds import CATEGORY, KINDS, VERSION, Kind, Object, find_kind
from gitops.views.selectors import SelectorError, by_fields, by_labels

_SEPARATE_TYPE = (
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
    "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
)
_SELECTED_BY_NAME = "selectors and the all flag cannot be used when passing resource/name arguments"


@dataclass(frozen=True)
class Request:
    """All objects of a kind, or (*name*) one of them."""

    kind: Kind
    name: str | None = None


@dataclass(frozen=True)
class Group:
    """What was found for one request."""

    kind: Kind
    objects: Sequence[Object]
    named: bool


@dataclass
class Selected:
    """What was found for all requests, and kubectl's messages about what was not."""

    groups: list[Group] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def add_namespace_arguments(parser: Parser) -> None:
    """Add `-n` and `-A`."""
    _add_namespace_argument(parser)
    parser.add_switch("-A", "--all-namespaces", help="all namespaces")


def _add_namespace_argument(parser: Parser) -> None:
    parser.add_argument(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        type=lambda word: word or DEFAULT_NAMESPACE,
        default=DEFAULT_NAMESPACE,
        help="default: default",
    )


def add_selection_arguments(parser: Parser) -> None:
    """Add what names the objects, and what chooses among them."""
    parser.add_argument("resources", metavar="TYPE [NAME…] | TYPE/NAME…", nargs="*", help="see below for the types")
    parser.epilog = "types:\n" + "\n".join(f"  {kind.plural:20}{', '.join(kind.short)}".rstrip() for kind in KINDS)
    add_namespace_arguments(parser)
    parser.add_argument("-l", "--selector", metavar="LABELS", default="", help="as a=b,c!=d,e in (f,g),h,!i")
    parser.add_argument("--field-selector", metavar="FIELDS", default="", help="as metadata.name=x")


def add_object_arguments(parser: Parser, kind: str = "KIND") -> None:
    """Add what names one object, of *kind* if no others are asked about."""
    parser.add_argument("object", metavar=f"{kind} NAME | {kind}/NAME", nargs="*", help="one object")
    _add_namespace_argument(parser)


def read_object(args: argparse.Namespace) -> tuple[Kind, str]:
    """Return the kind and the name of the one object that the arguments name. UsageError, and as `read_requests`."""
    words: list[str] = args.object
    if len(words) == 1 and "/" in words[0]:
        request = type_and_name(words[0])
        return request.kind, request.name or ""
    if len(words) == 2 and all(words) and "/" not in "".join(words):
        return one_kind(words[0]), words[1]
    raise UsageError("name one object: its kind and its name, as `work redis` or `work/redis`")


def read_requests(args: argparse.Namespace) -> list[Request]:
    """Return what the arguments name. GitOpsError, with kubectl's words, for what makes no sense."""
    words: list[str] = args.resources
    with_slash = [word for word in words if "/" in word]
    if with_slash and with_slash != words:
        raise GitOpsError(_SEPARATE_TYPE)
    requests = [type_and_name(word) for word in words] if with_slash else _of_types(words[0], words[1:])
    _refuse_contradictions(args, [request.kind for request in requests if request.name])
    return requests


def namespace_of_request(args: argparse.Namespace) -> str | None:
    """Return the namespace that is asked about, None for all of them."""
    return None if args.all_namespaces else str(args.namespace)


def select(snapshot: Snapshot, requests: Sequence[Request], args: argparse.Namespace) -> Selected:
    """Find the objects. GitOpsError for a selector that cannot be read."""
    selected = Selected()
    for request in requests:
        if request.name is None:
            matches = predicate(request.kind, args)
            objects = [obj for obj in snapshot.all(request.kind, namespace_of_request(args)) if matches(obj)]
            selected.groups.append(Group(request.kind, objects, named=False))
        elif found := snapshot.get(request.kind, args.namespace, request.name):
            selected.groups.append(Group(request.kind, [found], named=True))
        else:
            selected.errors.append(not_found(request.kind, request.name))
    return selected


def predicate(kind: Kind, args: argparse.Namespace) -> Callable[[Object], bool]:
    """Return what `-l` and `--field-selector` say. GitOpsError, with the API server's words."""
    try:
        labels, fields = by_labels(args.selector), by_fields(args.field_selector)
    except SelectorError as error:
        resource = quote(f"{GROUP}/{VERSION}, Resource={kind.plural}")
        selectors = f"label selector {quote(args.selector)}, field selector {quote(args.field_selector)}"
        raise ServerError(f"(BadRequest): Unable to find {resource} that match {selectors}: {error}") from error
    return lambda obj: labels(obj) and fields(obj)


def not_found(kind: Kind, name: str) -> str:
    """Return kubectl's message about an object that is not there."""
    return f"Error from server (NotFound): {kind.resource} {quote(name)} not found"


def type_and_name(word: str) -> Request:
    """Return the one object that `TYPE/NAME` names. GitOpsError, with kubectl's words, for what makes no sense."""
    kind, _, name = word.partition("/")
    if "/" in name:
        raise GitOpsError("arguments in resource/name form may not have more than one slash")
    if not kind or not name or len(set(kind.split(","))) > 1:
        raise GitOpsError("arguments in resource/name form must have a single resource and name")
    return Request(one_kind(kind), name)


def _of_types(types: str, names: Sequence[str]) -> list[Request]:
    if not names:
        return [Request(kind) for kind in dict.fromkeys(_kinds(types))]
    if types.lower() == CATEGORY:
        raise GitOpsError("you must specify only one resource")
    if "" in names:
        raise GitOpsError("resource name may not be empty")
    return [Request(kind, name) for kind in dict.fromkeys(map(one_kind, types.split(","))) for name in names]


def _kinds(types: str) -> Iterator[Kind]:
    for word in types.split(","):
        yield from KINDS if word.lower() == CATEGORY else [one_kind(word)]


def one_kind(word: str) -> Kind:
    """Return the kind that *word* names. GitOpsError, with kubectl's words, when none is."""
    if kind := find_kind(word):
        return kind
    raise GitOpsError(f"the server doesn't have a resource type {quote(word.partition('.')[0])}")


def _refuse_contradictions(args: argparse.Namespace, named: Sequence[Kind]) -> None:
    if named and (args.selector or args.field_selector):
        with_slash = any("/" in word for word in args.resources)
        raise GitOpsError(_SELECTED_BY_NAME if with_slash else "name cannot be provided when a selector is specified")
    if args.all_namespaces and any(kind.namespaced for kind in named):
        raise GitOpsError("a resource cannot be retrieved by name across all namespaces")
