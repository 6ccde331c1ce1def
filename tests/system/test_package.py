"""What is shipped: the wheel, built from the sdist, runs outside of the checkout and without its tools."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import gitops

CHECKOUT = Path(__file__).parents[2]


def command(*words, **options) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def shipped(tmp_path_factory) -> Path:
    """The folder with the sdist of the checkout and the wheel that was built from that sdist alone."""
    folder = tmp_path_factory.mktemp("dist")
    command(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT)
    return folder


@pytest.fixture(scope="module")
def installed(shipped, tmp_path_factory) -> Path:
    """The commands of an environment that has the wheel, and of this one only the dependencies."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    (wheel,) = shipped.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", home / "bin/python", "install"]
    command(*pip, "--quiet", "--no-deps", "--no-index", wheel)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def test_the_wheel_has_all_that_the_program_reads(shipped):
    (wheel,) = shipped.glob("gitops_works-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())

    for folder, below in [("templates", "gitops/templates"), ("example-repo", "gitops/example-repo")]:
        files = [path.relative_to(CHECKOUT / folder) for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
        assert files
        assert {f"{below}/{path}" for path in files} <= inside
    assert "gitops/cli/starter/works/default/hello.yaml" in inside
    assert not [name for name in inside if name.startswith(("tests/", "benchmarks/"))]


def test_the_sdist_has_what_a_packager_needs(shipped):
    (sdist,) = shipped.glob("gitops_works-*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "pyproject.toml", "tests/system/test_package.py"} <= inside


@pytest.mark.parametrize("program", ["gitops", "kubectl-gitops", "python -m gitops"])
def test_the_installed_commands_answer(installed, tmp_path, program):
    name, *arguments = program.split()

    answer = command(installed / name, *arguments, "--version", cwd=tmp_path, env={})

    assert answer == f"gitops {gitops.__version__}\n"


def test_the_installed_demo_needs_nothing_but_git(installed, tmp_path):
    printed = command(installed / "gitops", "demo", cwd=tmp_path, env={"PATH": os.environ["PATH"]})

    assert "Misplaced" in printed
    assert (tmp_path / "demo/status/README.md").is_file()
