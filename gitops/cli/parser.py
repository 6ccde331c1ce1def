"""How arguments are read: the options that all commands share, and the table of commands.

A command is a module `gitops.cli.<name>` with `add_arguments(parser)` and `run(args) -> exit code`, imported only when
it is called.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from gitops import __version__
from gitops.errors import RepositoryError

COMMANDS = {
    "init": "make a repository with an example Work and Destination, or add the folders to an existing one",
    "run": "the daemon: watch the repository and answer each commit",
    "plan": "what a pass would change, or would change once a branch is merged",
    "validate": "check every definition; problems come with file, line and column",
    "get": "list objects from the status on the output branch, as kubectl prints them",
    "describe": "show objects and their events, as kubectl prints them",
    "events": "list events, as kubectl prints them",
    "wait": "wait until objects have a condition, as kubectl does",
    "explain": "why a Work is placed where it is, and why not elsewhere",
    "history": "events and versions of one object from the Git log",
    "export": "the manifests that make Flux or Argo CD sync the Destinations",
    "schema": "JSON Schema of the definitions, for editors",
    "demo": "the example repository, reconciled before your eyes",
}


class Parser(argparse.ArgumentParser):
    """A parser without abbreviations. A command may give usage errors another exit code than 2."""

    usage_exit_code = 2

    def __init__(self, prog: str, description: str | None) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, allow_abbrev=False, formatter_class=formatter)

    def error(self, message: str) -> NoReturn:
        self.exit(self.usage_exit_code, f"error: {message}\nSee '{self.prog} --help' for usage.\n")

    def print_help(self, file: Any = None) -> None:
        """Print the help; OSError where that fails, which argparse keeps to itself."""
        print(self.format_help(), end="", file=file, flush=True)

    def add_switch(self, *names: str, default: bool = False, help: str) -> None:
        """Add an option without a value that, as in kubectl, may also be spelt `--name=true` and `--name=false`."""
        dest = names[-1].lstrip("-").replace("-", "_")
        self.add_argument(*names, dest=dest, action="store_true", default=default, help=help)
        for word, const in (("true", True), ("false", False)):
            spelt = [f"{name}={word}" for name in names]
            self.add_argument(
                *spelt, dest=dest, action="store_const", const=const, default=default, help=argparse.SUPPRESS
            )


def run(argv: Sequence[str]) -> int:
    """Run the command that *argv* names, and return its exit code."""
    parser = _frame()
    shared = parser.parse_args(argv)
    if shared.command is None:
        parser.print_help()
        return 0
    if shared.command not in COMMANDS:
        parser.error(f'unknown command "{shared.command}"{_did_you_mean(shared.command)}')
    module = importlib.import_module(f"gitops.cli.{shared.command}")
    args = _arguments(module, shared)
    try:
        return int(module.run(args))
    except RepositoryError:
        if args.clone is None:
            raise
        from gitops.git import clones  # here: most commands never need it

        clones.throw_away(args.clone)  # it is damaged
        return int(module.run(args))


def _arguments(module: ModuleType, shared: argparse.Namespace) -> argparse.Namespace:
    """Read the arguments of a command, among which the shared ones may stand as well."""
    command = Parser(f"{_prog()} {shared.command}", module.__doc__)
    _add_shared(command, argparse.SUPPRESS)
    module.add_arguments(command)
    given = argparse.Namespace(repo=shared.repo, branch=shared.branch, secrets=shared.secrets, clone=None)
    return command.parse_intermixed_args(shared.arguments, given)


def _frame() -> Parser:
    table = "\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items())
    parser = Parser(
        _prog(), f"A GitOps reconciler driven by a Git repository.\n\ncommands, each with its own --help:\n{table}"
    )
    parser.usage = "%(prog)s [--repo PATH|URL] [--branch NAME] [--secrets DIR] COMMAND …"
    parser.add_argument("--version", action="version", version=f"gitops {__version__}")
    _add_shared(parser, None)
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _add_shared(parser: Parser, default: str | None) -> None:
    parser.add_argument(
        "--repo", metavar="PATH|URL", default=default, help="the repository (default: that of the current directory)"
    )
    parser.add_argument(
        "--branch", metavar="NAME", default=default, help="the source branch (default: the one checked out, else main)"
    )
    parser.add_argument(
        "--secrets",
        metavar="DIR",
        default=default,
        help="the folder of secrets, <namespace>/<name>/<key> (default: $GITOPS_SECRETS)",
    )


def _prog() -> str:
    return "kubectl gitops" if Path(sys.argv[0]).name.startswith("kubectl-") else "gitops"


def _did_you_mean(word: str) -> str:
    close = difflib.get_close_matches(word, COMMANDS, n=1)
    return f', did you mean "{close[0]}"?' if close else ""
