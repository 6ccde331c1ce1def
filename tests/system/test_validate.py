"""`gitops validate` tells before the commit what a pass would refuse, with file, line and column."""

import os
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
        ({"works/a.yaml": work("a", {"../x": "a"})}, "works/a.yaml:18:17: Work/default/a: InvalidDocument: "),
        ({"works/a.yaml": work("a"), "works/b.yaml": work("a")},
         "works/b.yaml:1:1: Work/default/a is already defined in works/a.yaml:1; this one is ignored"),
        ({"destinations/a.yaml": destination("a", store="x")},
         "destinations/a.yaml:1:1: Destination/a: StateStoreNotFound: GitStateStore/x: not found"),
        ({"destinations/a.yaml": destination("a", path="p"), "destinations/b.yaml": destination("b", path="p/q")},
         "destinations/b.yaml:1:1: Destination/b: PathOverlap: path state/p/q overlaps Destination a"),
        ({"gitops.yaml": "commit: {granularity: file}\n"}, "gitops.yaml:1:"),
        ({"works/f/work.yaml": FOLDER, "works/f/x.yaml.j2": "{{ nothing }}",
          "destinations/dev.yaml": destination("dev", env="dev")},
         "works/f/x.yaml.j2:1:1: Work/default/f: TemplateError: x.yaml.j2: line 1: 'nothing' is undefined"),
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


def test_the_documents_in_a_file_outside_a_repository_are_checked_as_far_as_no_destination_counts(tmp_path, capsys):
    write(tmp_path, {"all.yaml": AT_FAULT, "up.yaml": work("up", {"../x": "1"}), "work.yaml": work("folder")})

    assert main(["validate", *(str(tmp_path / name) for name in ("all.yaml", "up.yaml", "work.yaml"))]) == 1
    out = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert [line.partition(" did not")[0] for line in out.splitlines()] == [
        "all.yaml:25:19: Work/default/b: InvalidDocument: x.txt: the content is base64 of gzip that was cut off",
        "all.yaml:38:20: Work/default/b: InvalidDocument: z.txt: is given twice in the same group",
        'up.yaml:18:17: Work/default/up: InvalidDocument: path "../x": a component is ".."',
        "4 definitions, 3 problems",
    ]


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


def reconcile(folder):
    """Commit what is there, and make a pass."""
    identity = ("-c", "user.name=Me", "-c", "user.email=me@example.com")
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", *identity, "commit", "-q", "-m", "x"], check=True)
    assert main(["run", "--once"]) == 0


def told(capsys, *paths):
    """What `validate` prints, but for the summary."""
    capsys.readouterr()
    main(["validate", *map(str, paths)])
    return capsys.readouterr().out.splitlines()[:-1]


@pytest.mark.parametrize("paths", [[], ["works"]])
def test_of_two_definitions_of_one_object_that_which_came_first_keeps_its_place(folder, capsys, paths):
    write(folder, {"works/b.yaml": work("a", env="dev"), "destinations/dev.yaml": destination("dev", env="dev")})
    reconcile(folder)
    write(folder, {"works/a.yaml": work("a", {"x.yaml": configmap("x")}, env="dev")})

    expected = "Work/default/a is already defined in works/b.yaml:1; this one is ignored"
    assert told(capsys, *paths) == [f"works/a.yaml:1:1: {expected}"]
    reconcile(folder)
    assert capsys.readouterr().err == f"problem: works/a.yaml:1: {expected}\n"
    assert expected in (folder / "status/repository.yaml").read_text()


@pytest.mark.parametrize("bad", ["kind: [", {**work("a"), "sepc": {}}], ids=["unreadable", "invalid"])
def test_a_good_definition_of_what_is_defined_badly_where_it_was_first_is_told_as_ignored(folder, capsys, bad):
    write(folder, {"works/b.yaml": work("a", env="dev"), "destinations/dev.yaml": destination("dev", env="dev")})
    reconcile(folder)
    write(folder, {"works/b.yaml": bad, "works/a.yaml": work("a", {"x.yaml": configmap("x")}, env="dev")})

    expected = "Work/default/a is already defined in works/b.yaml, which is wrong now; this one is ignored"
    assert f"works/a.yaml:1:1: {expected}" in told(capsys)
    reconcile(folder)
    assert f"works/a.yaml:1: {expected}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ({}, "InvalidDocument: ConfigMap/default/same is already delivered by default/"),
        ({"mode": "none"}, "PathConflict: same.yaml belongs to default/"),
    ],
)
def test_what_two_works_claim_is_told_before_the_pass_refuses_it(folder, capsys, layout, expected):
    write(folder, {
        "works/a.yaml": work("a", {"same.yaml": configmap("same")}, env="dev"),
        "works/b.yaml": work("b", {"same.yaml": configmap("same")}, env="dev"),
        "destinations/dev.yaml": destination("dev", env="dev", **layout),
    })  # fmt: skip

    (before,) = told(capsys)
    assert before.startswith(f"works/b.yaml:1:1: Work/default/b: {expected}a.dev-")

    (folder / "works/a.yaml").rename(folder.parent / "a.yaml")
    reconcile(folder)
    (folder.parent / "a.yaml").rename(folder / "works/a.yaml")

    (after,) = told(capsys)
    assert after.startswith(f"works/a.yaml:1:1: Work/default/a: {expected}b.dev-")


def test_a_store_that_cannot_be_used_is_told_once_and_where_it_is_defined(folder, capsys):
    far = {
        "apiVersion": API_VERSION,
        "kind": "GitStateStore",
        "metadata": {"name": "far"},
        "spec": {"url": "http://h/x"},
    }
    bucket = {"apiVersion": API_VERSION, "kind": "BucketStateStore", "metadata": {"name": "b"}}
    bucket |= {"spec": {"bucketName": "b", "endpoint": "e"}}
    write(folder, {
        "statestores/b.yaml": bucket,
        "statestores/far.yaml": far,
        "destinations/dev.yaml": destination("dev", store="far"),
    })  # fmt: skip

    b, far = told(capsys)
    assert b.startswith("statestores/b.yaml:1:1: BucketStateStore/b: ErrorInitialisingWriter: ")
    assert far.startswith("statestores/far.yaml:1:1: GitStateStore/far: ErrorInitialisingWriter: ")
    assert "the protocol http is not allowed" in far


def test_the_protocols_that_the_operator_allows_are_allowed(folder, capsys, monkeypatch):
    far = {"apiVersion": API_VERSION, "kind": "GitStateStore", "metadata": {"name": "far"}, "spec": {"url": "/x.git"}}
    write(folder, {"statestores/far.yaml": far, "destinations/dev.yaml": destination("dev", store="far")})

    monkeypatch.delenv("GIT_ALLOW_PROTOCOL", raising=False)
    assert len(told(capsys)) == 1
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "https:file")
    assert told(capsys) == []


def test_of_a_store_whose_definition_is_wrong_nothing_else_is_told(folder, capsys):
    far = {"apiVersion": API_VERSION, "kind": "GitStateStore", "metadata": {"name": "far"}, "spec": {"path": "../x"}}
    write(folder, {"statestores/far.yaml": far, "destinations/dev.yaml": destination("dev", store="far")})

    (only,) = told(capsys)
    assert only.startswith("statestores/far.yaml:")


def test_the_faults_of_documents_are_told_whether_or_not_their_destination_is_ready(folder, capsys):
    write(folder, {
        "works/a.yaml": work("a", {"x.yaml": "nothing of Kubernetes"}, env="dev"),
        "destinations/dev.yaml": destination("dev", env="dev", store="none"),
    })  # fmt: skip

    place, document = told(capsys)
    assert "StateStoreNotFound" in place
    assert document.startswith("works/a.yaml:19:17: Work/default/a: InvalidDocument: x.yaml: ")


AT_FAULT = """\
apiVersion: v1
kind: List
items:
- apiVersion: platform.kratix.io/v1alpha1
  kind: Work
  metadata: {name: a}
  spec:
    workloadGroups:
    - directory: .
      workloads: [{filepath: good.yaml, content: "{apiVersion: v1, kind: A, metadata: {name: a}}"}]
    - directory: other
      workloads:
      - content: |
          a: [b
        filepath: bad.yaml
      - filepath: good.yaml.j2
        content: ""
- apiVersion: platform.kratix.io/v1alpha1
  kind: Work
  metadata: {name: b}
  spec:
    workloadGroups:
    - directory: .
      workloads:
      - filepath: x.txt
        content: H4sI
      - filepath: y.txt
        content: x
    - directory: templates
      workloads:
      - filepath: x.yaml
        content: "{apiVersion: v1, kind: A, metadata: {name: a}}"
      - filepath: y.yaml.j2
        content: "no: object"
    - directory: twice
      workloads:
      - {filepath: z.txt, content: ""}
      - {filepath: z.txt, content: ""}
"""


def test_what_is_wrong_with_a_document_is_told_where_the_definition_has_it(folder, capsys):
    write(folder, {"works/all.yaml": AT_FAULT, "destinations/dev.yaml": destination("dev")})

    assert [line.partition(" did not")[0] for line in told(capsys)] == [
        "works/all.yaml:15:19: Work/default/a: InvalidDocument: bad.yaml: line 2:",
        "works/all.yaml:25:19: Work/default/b: InvalidDocument: x.txt: the content is base64 of gzip that was cut off",
        "works/all.yaml:33:19: Work/default/b: InvalidDocument: y.yaml: line 1: the object has no apiVersion",
        "works/all.yaml:38:20: Work/default/b: InvalidDocument: z.txt: is given twice in the same group",
    ]


IN_FOLDER = work(
    "f", groups=[group(None, selector(env="dev"), directory="one"), group(None, selector(env="dev"), directory="two")]
)


@pytest.mark.parametrize("path", ["works", "works/f", "works/f/work.yaml"])
@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("one/a/x.yaml", "{apiVersion: v1, kind: A,\n metadata: {name: a}}\n---\na: b: c\n", "one/a/x.yaml:4:1: "),
        ("two/x.txt.j2", "a\n{{ nothing }}\n", "two/x.txt.j2:2:1: "),
        ("two/x.yaml.j2", "a:\n{{ 'b: [' }}\n", "two/x.yaml.j2:1:1: "),
        ("two/x/y.yaml", "a: b\n", "two/x/y.yaml:1:1: "),
    ],
)
def test_what_is_wrong_with_a_file_of_a_folder_work_is_told_of_that_file(folder, capsys, path, file, text, expected):
    write(folder, {"works/f/work.yaml": IN_FOLDER, "destinations/dev.yaml": destination("dev", env="dev")})
    write(folder, {"works/f/one/fine.txt": "", "works/f/two/fine.txt": "", f"works/f/{file}": text})

    (line,) = told(capsys, path)
    assert line.startswith(f"works/f/{expected}Work/default/f: ")


def test_a_directory_that_is_not_in_a_folder_work_is_told_of_its_definition(folder, capsys):
    write(folder, {"works/f/work.yaml": IN_FOLDER, "works/f/one/fine.txt": ""})

    (line,) = told(capsys)
    assert line.startswith("works/f/work.yaml:1:1: Work/default/f: InvalidDocument: directory two is not in the folder")


def test_settings_that_are_named_are_checked_as_settings(folder, capsys):
    write(folder, {"gitops.yaml": "commit: {granularity: file}\n", "works/a.yaml": "kind: ["})

    assert [line.split(":")[0] for line in told(capsys, "gitops.yaml")] == ["gitops.yaml"]
    write(folder, {"gitops.yaml": "commit: {granularity: pass}\n"})
    assert told(capsys, "gitops.yaml") == []


def test_a_pipe_is_read(folder, capsys):
    read, write_end = os.pipe()
    os.write(write_end, b"kind: Wrok")
    os.close(write_end)

    (only,) = told(capsys, f"/dev/fd/{read}")
    os.close(read)
    assert only.startswith(f'/dev/fd/{read}:1:7: kind: "Wrok" is no definition')


def test_where_head_is_on_no_branch_the_status_of_the_commit_counts(folder, capsys):
    write(folder, {"works/b.yaml": work("a", env="dev"), "destinations/dev.yaml": destination("dev", env="dev")})
    reconcile(folder)
    for command in ("checkout -q --detach", "branch -q -D main"):
        subprocess.run(["git", *command.split()], check=True)
    write(folder, {"works/a.yaml": work("a", env="dev")})

    assert [line.split(":")[0] for line in told(capsys)] == ["works/a.yaml"]
