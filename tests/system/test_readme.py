"""What README says happens, happens: each ```console block after `<!-- tested -->` is run, in order, in one folder.

`$ ` begins a command, which must succeed; the lines below it are its whole output. A line `…` stands for any lines;
a command without lines below it may print what it likes. After `<!-- tested: COMMAND -->` the whole block is what
COMMAND prints.
"""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from gitops.core.manifests import load

README = Path(__file__).parents[2] / "README.md"
TESTED = re.compile(r"^<!-- tested(?:: (.*?))? -->\n+```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "\x1e"
_SERVERS = os.environ.get("CI") or all(
    shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") for name in ("nginx", "fcgiwrap")
)


def examples(text: str) -> list[tuple[str, str]]:
    """The (command, expected output) pairs of all tested blocks of *text*."""
    return [example for command, block in TESTED.findall(text) for example in _examples(command, block)]


def _examples(command: str, block: str) -> list[tuple[str, str]]:
    parts = [f"{command}\n{block}"] if command else re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output.strip("\n")) for command, _, output in (part.partition("\n") for part in parts)]


def run(commands: list[str], folder: Path) -> list[tuple[str, int]]:
    """Type *commands* into one shell in *folder*; return what each printed, and its exit code."""
    script = "exec 2>&1\n" + "".join(f"{command}\nprintf '{END}%d{END}' $?\n" for command in commands)
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}
    printed = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=-1)
    parts = printed.stdout.decode().split(END)
    return [(output, int(code)) for output, code in zip(parts[::2], parts[1::2], strict=False)]


def agrees(expected: str, printed: str) -> bool:
    lines = [r"(?:.*\n)*" if line == "…" else re.escape(line) + r"\n" for line in expected.split("\n")]
    return not expected or re.fullmatch("".join(lines), printed.strip("\n") + "\n") is not None


def test_the_examples_of_the_readme_are_true(tmp_path):
    told = [example for example in examples(README.read_text()) if _SERVERS or "--remote" not in example[0]]
    assert told, "README.md has no tested block"

    done = run([command for command, _ in told], tmp_path)

    assert len(done) == len(told)
    for (command, expected), (printed, code) in zip(told, done, strict=True):
        assert code == 0, f"$ {command}\n{printed}"
        assert agrees(expected, printed), f"$ {command}\n{printed}\nREADME says:\n{expected}"


@pytest.mark.parametrize(
    "block", re.findall(r"^```yaml\n(apiVersion: platform.*?)^```$", README.read_text(), re.M | re.S)
)
def test_the_definitions_in_the_readme_are_right(block):
    assert load("README.md", block.encode()).problems == ()


@pytest.mark.parametrize(
    ("expected", "printed", "agree"),
    [
        ("", "anything\n", True),
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\nc\n", False),
        ("a\n…\nz", "a\nb\nc\nz\n", True),
        ("a\n…\nz", "a\nb\n", False),
        ("…", "", True),
    ],
)
def test_what_is_told_is_compared_line_by_line(expected, printed, agree):
    assert agrees(expected, printed) is agree


def test_commands_share_a_shell_and_failures_are_seen(tmp_path):
    assert run(["mkdir a && cd a", "basename $PWD", "false"], tmp_path) == [("", 0), ("a\n", 0), ("", 1)]


def test_only_marked_blocks_are_examples():
    unmarked = "```console\n$ rm -r /\n```\n\n"
    marked = "<!-- tested -->\n```console\n$ echo a\na\n\nb\n$ true\n```\n"
    told = "<!-- tested: gitops demo -->\n\n```console\n$ gitops get works\nNAME\n```\n"

    assert examples(unmarked + marked + told) == [
        ("echo a", "a\n\nb"),
        ("true", ""),
        ("gitops demo", "$ gitops get works\nNAME"),
    ]
