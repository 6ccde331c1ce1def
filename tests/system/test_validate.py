"""`gitops validate` tells before the commit what a pass would refuse, with file, line and column."""

import subprocess

import pytest
import yaml
from support.definitions import API_VERSION, configmap, destination, group, selector, work

from gitops.cli.main import main

FOLDER = work("f", groups=[group(None, selector(env="dev"))])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty repository with a work tree, which is the current directory."""
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content if isinstance(content, str) else yaml.safe_dump(content))


def test_good_definitions_are_counted(folder, capsys):
    write(folder, {"works/a.yaml": work("a", env="dev"), "destinations/dev.yaml": destination("dev", env="dev")})

    assert main(["validate"]) == 0
    assert capsys.readouterr().out == "2 definitions, 0 problems\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"works/a.yaml": "kind: Work\nspec: [\n"}, "works/a.yaml:"),
        ({"works/a.yaml": f"apiVersion: {API_VERSION}\nkind: Work\nmetadata:\n  name: a\nspec:\n  promise: x\n"},
         'works/a.yaml:6:3: unknown field "spec.promise" (did you mean "promiseName"?)'),
        ({"works/a.yaml": work("a", {"../x": "a"})}, "works/a.yaml:1:1: Work/default/a: InvalidDocument: "),
        ({"works/a.yaml": work("a"), "works/b.yaml": work("a")},
         "works/b.yaml:1:1: Work/default/a is already defined in works/a.yaml:1; this one is ignored"),
        ({"destinations/a.yaml": destination("a", store="x")},
         "destinations/a.yaml:1:1: Destination/a: StateStoreNotFound: GitStateStore/x: not found"),
        ({"destinations/a.yaml": destination("a", path="p"), "destinations/b.yaml": destination("b", path="p/q")},
         "destinations/b.yaml:1:1: Destination/b: PathOverlap: path state/p/q overlaps Destination a"),
        ({"gitops.yaml": "commit: {granularity: file}\n"}, "gitops.yaml:1:"),
        ({"works/f/work.yaml": FOLDER, "works/f/x.yaml.j2": "{{ nothing }}",
          "destinations/dev.yaml": destination("dev", env="dev")},
         "works/f/work.yaml:1:1: Work/default/f: TemplateError: x.yaml.j2: 'nothing' is undefined"),
        ({"works/f.yaml": FOLDER}, "works/f.yaml:1:1: Work/default/f: a group without workloads"),
    ],
)  # fmt: skip
def test_each_problem_has_its_place(folder, capsys, files, expected):
    write(folder, files)

    assert main(["validate"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(expected), lines
    assert lines[-1].endswith(f"{len(lines) - 1} problem" + ("s" if len(lines) > 2 else ""))


def test_an_object_that_comes_twice_in_one_document_is_named_with_it_once(folder, capsys):
    twice = work("a", {"f.yaml": f"{configmap('x')}---\n{configmap('x')}"}, env="dev")
    write(folder, {"works/a.yaml": twice, "destinations/dev.yaml": destination("dev", env="dev")})

    assert main(["validate"]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith(": f.yaml: ConfigMap/default/x comes twice")


def test_only_the_named_files_are_reported(folder, capsys):
    write(folder, {"works/a.yaml": "kind: [", "works/b.yaml": work("b"), "works/c/d.yaml": "kind: ["})

    assert main(["validate", "works/b.yaml"]) == 0
    assert capsys.readouterr().out == "1 definition, 0 problems\n"
    assert main(["validate", "works/c"]) == 1
    assert capsys.readouterr().out.startswith("works/c/d.yaml:1:")


def test_a_file_outside_a_repository_is_checked_on_its_own(tmp_path, capsys):
    write(tmp_path, {"dump.yaml": {"apiVersion": "v1", "kind": "List", "items": [work("a"), {"kind": "Work"}]}})

    assert main(["validate", str(tmp_path / "dump.yaml")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 definition, 3 problems"


def test_a_named_file_is_checked_whatever_its_name_and_a_folder_has_definition_files(tmp_path, capsys):
    write(tmp_path, {"dump.txt": "root:x:0\n", "dump.yaml": work("a")})

    assert main(["validate", str(tmp_path / "dump.txt")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 definitions, 1 problem"
    assert main(["validate", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "1 definition, 0 problems\n"


def test_what_is_not_there_is_an_error(folder, capsys):
    assert main(["validate", "works"]) == 1
    assert capsys.readouterr().err == "error: works is not there\n"


def test_a_symbolic_link_is_not_followed(folder, capsys):
    write(folder, {"secret.yaml": work("a")})
    (folder / "works").mkdir()
    (folder / "works/a.yaml").symlink_to("../secret.yaml")

    assert main(["validate"]) == 1
    assert capsys.readouterr().out.startswith("works/a.yaml:1:1: is a symbolic link; definitions are ordinary files\n")


def test_a_bare_repository_is_checked_by_its_branch(platform, capsys):
    platform.commit({"works/a.yaml": work("a"), "works/b.yaml": "kind: ["})

    assert main(["--repo", str(platform.path), "validate"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 definition, 1 problem"
