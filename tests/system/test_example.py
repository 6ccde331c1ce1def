"""The golden test: what the example platform becomes, file by file. `UPDATE_GOLDEN=1` writes what it became anew."""

import os
from pathlib import Path

import pytest

from gitops.demo import Demo
from gitops.git import refs
from gitops.git.history import walk

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    made = Demo(tmp_path_factory.mktemp("example"))
    made.reconcile()
    made.take_label()
    made.reconcile()
    return made


def compare(name, text):
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


def below(demo, folder):
    top = demo.repo.workdir()
    return sorted(path for path in (top / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize("folder", ["state", "status/destinations", "status/works/team-a", "status/works/team-c"])
def test_files(demo, folder):
    top = demo.repo.workdir()
    text = "".join(f"==> {path.relative_to(top)}\n{path.read_text()}" for path in below(demo, folder))

    compare(f"{folder.replace('/', '-')}.txt", text)


def test_overview(demo):
    compare("README.md", (demo.repo.workdir() / "status/README.md").read_text())


def test_log(demo):
    commits = walk(demo.repo, refs.tip(demo.repo, "main"))

    compare("log.txt", "\n".join(f"==> {commit.oid.hex()}\n{commit.message}" for commit in commits))
