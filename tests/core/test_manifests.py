"""Definitions: what is read, and what is said of a wrong one, with file, line, column and the object it belongs to."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.api.settings import Settings
from gitops.core import manifests
from gitops.core.keys import Key
from gitops.core.problems import MAX_COMPLAINTS, Problem

ROOT = Path(__file__).parents[2]
REAL = ROOT / "../shared/real"
API = "apiVersion: platform.kratix.io/v1alpha1\n"


DESTINATION = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Destination", "metadata": {"name": "w"}}


def load(text):
    return manifests.load("works/a.yaml", text.encode() if isinstance(text, str) else text)


def said(text):
    """All that is said about *text*, without the file."""
    return [f"{p.line}:{p.column} {p.message}" for p in load(text).problems]


def work(spec="spec: {}\n", name="redis"):
    return f"{API}kind: Work\nmetadata:\n  name: {name}\n{spec}"


def destination(name, rest=""):
    return f"{API}kind: Destination\nmetadata:\n  name: {name}\n{rest}"


# What is read


def test_each_kind_has_its_key():
    text = "---\n".join(
        [
            work(),
            work(name="search\n  namespace: team-c"),
            destination("worker-1\n  namespace: ignored"),
            f"{API}kind: GitStateStore\nmetadata: {{name: default}}\nspec: {{branch: out}}\n",
            f"{API}kind: BucketStateStore\nmetadata: {{name: s3}}\nspec: {{bucketName: b, endpoint: e}}\n",
        ]
    )
    objects, problems = load(text)
    assert problems == ()
    assert [str(manifest.key) for manifest in objects] == [
        "Work/default/redis",
        "Work/team-c/search",
        "Destination/worker-1",
        "GitStateStore/default",
        "BucketStateStore/s3",
    ]
    assert [manifest.at for manifest in objects] == [(number, ()) for number in range(5)]
    assert [manifest.line for manifest in objects] == [1, 7, 14, 20, 25]
    assert {manifest.path for manifest in objects} == {"works/a.yaml"}


@pytest.mark.parametrize("before", ["", "# a\n", "kind: Work\n"])
def test_an_unfinished_merge_is_told_as_such(before):
    _, (problem,) = load(f"{before}<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> theirs\n")
    assert (problem.line, problem.column) == (before.count("\n") + 1, 1)
    assert problem.message.startswith("Git's conflict markers are in the file")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n---\n", "---\n# c\n...\n"])
def test_nothing_is_nothing_and_no_problem(text):
    assert load(text) == ((), ())


def test_json_is_read():
    (manifest,), problems = load(json.dumps(DESTINATION, indent=1))
    assert (manifest.key, problems) == (Key("Destination", "", "w"), ())


@pytest.mark.parametrize("kind", ["List", "DestinationList"])
def test_a_list_is_its_items(kind):
    items = "".join(
        "- " + destination(name, "  labels: {env: dev}\n").replace("\n", "\n  ").rstrip(" ") for name in ("a", "b")
    )
    (first, second), problems = load(f"apiVersion: v1\nitems:\n{items}kind: {kind}\nmetadata:\n  resourceVersion: ''\n")
    assert problems == ()
    assert (first.key.name, first.line, first.at) == ("a", 3, (0, ("items", 0)))
    assert (second.key.name, second.line, second.at) == ("b", 8, (0, ("items", 1)))


def test_a_list_may_be_an_alias():
    (manifest,), problems = load(f"x: &items [{{kind: Work}}, {json.dumps(DESTINATION)}]\nkind: List\nitems: *items\n")
    assert (str(manifest.key), manifest.line) == ("Destination/w", 1)
    assert [problem.line for problem in problems] == [3, 3, 3]


def test_what_a_cluster_adds_is_ignored():
    dump = work(
        """\
  uid: 86a1b907-0d7e-4c6f-9a54-86a1b907d54b
  resourceVersion: '18234'
  generation: 2
  creationTimestamp: null
  finalizers: [kratix.io/work-cleanup]
  managedFields: [{manager: kratix, fieldsV1: {f:spec: {}}}]
spec:
  lastExecutionTimestamp: 2026-08-20T09:14:31Z
  promiseName: redis
  workloadGroups: null
status:
  conditions: [{type: Ready, anything: 1}]
"""
    )
    (manifest,), problems = load(dump)
    assert problems == ()
    assert manifest.obj.spec.promise_name == "redis"
    assert manifest.obj.spec.workload_groups == ()


@pytest.mark.skipif(not REAL.exists(), reason="the Works of a real cluster are not here")
def test_works_of_a_real_cluster_are_read_as_they_are():
    for path in REAL.glob("*.yaml"):
        (manifest,), problems = manifests.load(path.name, path.read_bytes())
        assert problems == ()
        assert manifest.obj.spec.workload_groups[0].workloads[0].content.startswith("H4sI")


def test_a_large_work_is_read_since_its_values_count_and_not_its_bytes():
    content = "x" * 10_000_000
    group = "spec:\n  workloadGroups:\n  - workloads:\n"
    workloads = "".join(f"    - {{filepath: f{n}, content: {content}}}\n" for n in range(5))
    (manifest,), problems = load(work(group + workloads))
    assert (len(manifest.obj.spec.workload_groups[0].workloads), problems) == (5, ())


def test_a_dump_of_many_works_is_read():
    item = "\n".join("  " + line for line in work().splitlines()).replace("  api", "- api", 1)
    objects, problems = load("kind: List\nitems:\n" + f"{item}\n" * 5_000)
    assert (len(objects), problems) == (5_000, ())


# What is said


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("spec: {promisName: x}\n", '5:8 unknown field "spec.promisName" (did you mean "promiseName"?)'),
        ("spec: {promise_name: x}\n", '5:8 unknown field "spec.promise_name" (did you mean "promiseName"?)'),
        ("spec: {qqq: x}\n", '5:8 unknown field "spec.qqq"'),
        ("sepc: {}\nspec: {}\n", '5:1 unknown field "sepc" (did you mean "spec"?)'),
        ("", "1:1 spec: required"),
        ("spec: []\n", "5:1 spec: expected an object, found a list"),
        ("spec: {promiseName: 1.10}\n", '5:21 spec.promiseName: expected a string, found a number (quote it: "1.10")'),
        ("spec: {workloadGroups: {}}\n", "5:8 spec.workloadGroups: expected a list, found an object"),
        ("spec:\n  workloadGroups:\n  - 3\n", "7:5 spec.workloadGroups[0]: expected an object, found a number"),
        (
            "spec:\n  workloadGroups:\n  - workloads:\n    - filepath: a\n",
            "8:7 spec.workloadGroups[0].workloads[0].content: required",
        ),
        (
            "spec:\n  workloadGroups:\n  - destinationSelectors:\n    - matchLabels:\n        env: true\n",
            "9:14 spec.workloadGroups[0].destinationSelectors[0].matchLabels.env: "
            'expected a string, found a boolean (quote it: "true")',
        ),
        (
            "spec:\n  workloadGroups:\n  - destinationSelectors:\n    - matchExpressions:\n"
            "      - {key: a, operator: in}\n",
            "9:28 spec.workloadGroups[0].destinationSelectors[0].matchExpressions[0].operator: "
            'expected In, NotIn, Exists or DoesNotExist, found "in" (did you mean "In"?)',
        ),
        (
            "spec:\n  workloadGroups:\n  - destinationSelectors:\n    - matchExpressions:\n"
            "      - {key: a, operator: In}\n",
            "9:9 spec.workloadGroups[0].destinationSelectors[0].matchExpressions[0]: "
            "values must be specified when operator is In",
        ),
        (
            "spec:\n  workloadGroups:\n  - destinationSelectors:\n    - matchLabels: {'no way': x}\n",
            "8:21 spec.workloadGroups[0].destinationSelectors[0].matchLabels[\"no way\"]: invalid label key 'no way': "
            "at most 63 of letters, digits, '-', '_', '.', after an optional prefix/",
        ),
        ("spec: {values: [1]}\n", "5:8 spec.values: expected an object, found a list"),
        ("spec: {}\nspec: {}\n", '6:1 duplicate key "spec": it stands in line 5 already'),
        ("spec: {values: {a: !x b}}\n", "5:20 the tag !x is not supported: leave it out"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(spec, complaint):
    assert said(work(spec)) == [complaint]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("foo\n", '1:1 expected an object with apiVersion, kind and metadata, found "foo"'),
        ("- a\n", "1:1 expected an object with apiVersion, kind and metadata, found a list"),
        ("a: 1\n", "1:1 kind: required; the kinds of"),
        ("kind: Wrok\n", '1:7 kind: "Wrok" is no definition (did you mean "Work"?); the kinds of'),
        ("kind: destination\n", 'did you mean "Destination"?'),
        ("apiVersion: v1\nkind: ConfigMap\n", '2:7 kind: "ConfigMap" is no definition; the kinds of'),
        ("kind: 1\n", "1:7 kind: a number is no definition; the kinds of"),
        ("kind: List\nitems: x\n", '2:8 items: expected a list, found "x"'),
        ("kind: WorkList\nitems: x\n", '2:8 items: expected a list, found "x"'),
        ("kind: List\n", "1:1 items: expected a list, found nothing"),
        ("kind: List\nitems: [null]\n", "2:9 expected an object with apiVersion, kind and metadata, found nothing"),
        ("a: b: c\n", "1:5 mapping values are not allowed"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "1:1 this is a Git LFS pointer"),
        (API.replace("v1alpha1", "v1") + "kind: Destination\nmetadata: {name: a}\n", "1:13 apiVersion: expected"),
        (destination("../x"), "4:9 metadata.name: invalid name '../x'"),
        (destination("a/b"), "4:9 metadata.name: invalid name 'a/b'"),
        (destination("x" * 254), "4:9 metadata.name: invalid name"),
        (destination("аbc"), "4:9 metadata.name: invalid name"),
        (work(name="x\n  namespace: ../y"), "5:14 metadata.namespace: invalid namespace '../y'"),
    ],
)
def test_what_is_no_definition_is_said(text, complaint):
    (message,) = said(text)
    assert complaint in message


def test_all_that_is_wrong_with_an_object_is_said_in_the_order_of_the_file():
    text = work("spec:\n  values: 1\n  workloadGroups:\n  - {id: 1, dir: x}\n  promisename: x\n", name="Redis")
    lines = [problem.line for problem in load(text).problems]
    assert lines == [4, 6, 8, 8, 9]


def test_a_wrong_object_hides_no_other():
    wrong = "".join("- " + destination(name, "spec: {x: 1}").replace("\n", "\n  ") + "\n" for name in ("b", "c"))
    items = f"kind: List\nitems:\n{wrong}- {{a: 1, a: 2}}\n- *nothing\n"
    text = f"{destination('a')}---\n{items}---\n{destination('d')}---\na: b: c\n"
    objects, problems = load(text)
    assert [manifest.key.name for manifest in objects] == ["a", "d"]
    assert [problem.key and problem.key.name for problem in problems] == ["b", "c", None, None, None]


def test_an_object_that_is_too_large_hides_no_other():
    large = work("spec:\n  values:\n" + "".join(f"    k{n}: 1\n" for n in range(10_001)))
    objects, problems = load(f"{large}---\n{destination('a')}")
    assert [manifest.key.name for manifest in objects] == ["a"]
    assert [(str(p.key), p.message) for p in problems] == [
        ("Work/default/redis", "more than 20000 values in one object")
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (work("spec: {x: 1}\n"), Key("Work", "default", "redis")),
        (work("spec: {x: 1}\n", name="a\n  namespace: team"), Key("Work", "team", "a")),
        (destination("a", "spec: {x: 1}\n"), Key("Destination", "", "a")),
        (work("spec: {}\nspec: {}\n"), Key("Work", "default", "redis")),
        (work().replace(API, ""), Key("Work", "default", "redis")),
        (work().replace("v1alpha1", "v2"), Key("Work", "default", "redis")),
        (work().replace("platform.kratix.io", "other.io"), None),
        (work(name="../x"), None),
        (work(name="a\n  namespace: ../x"), None),
        ("kind: Work\nmetadata: {labels: {a: b}}\n", None),
        ("kind: Work\nmetadata: []\n", None),
        ("kind: [Work]\nmetadata: {name: a}\na: 1\na: 2\n", None),
    ],
)
def test_a_problem_names_the_object_when_its_name_can_be_believed(text, key):
    problems = load(text).problems
    assert problems
    assert {problem.key for problem in problems} == {key}


def test_a_problem_reads_like_a_compiler_message():
    problem = Problem("works/a\x1b.yaml", 3, 5, "kind: required", None)
    assert str(problem) == "works/a\\x1b.yaml:3: kind: required"
    assert problem.location == "works/a\\x1b.yaml:3:5"


def test_messages_are_bounded_printable_lines():
    text = work('spec: {"\\e[31m": 1, promiseName: "\\u202e", values: "' + "x" * 2_000 + '"}\n')
    problems = load(text).problems
    assert len(problems) == 2
    assert all(problem.message.isprintable() and len(problem.message) <= 512 for problem in problems)


def test_an_object_with_a_thousand_errors_does_not_flood():
    text = work("spec: {" + ", ".join(f"x{n}: 1" for n in range(1_000)) + "}\n")
    assert len(load(text).problems) == MAX_COMPLAINTS + 1
    assert load(text).problems[-1].message == "980 more problems in this object"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["Work", "List", "Destination"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kind", "metadata", "spec", "items", "name", "workloadGroups", "destinationSelectors", "x"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
@settings(deadline=None)
def test_whatever_stands_there_is_a_definition_or_a_problem(value):
    objects, problems = load(json.dumps(value))
    assert objects or problems or value is None or value == {"kind": "List", "items": []} or "items" in value


# gitops.yaml


def test_settings_are_read():
    found, problems = manifests.load_settings("gitops.yaml", b"output: {branch: out}\ncommit: {granularity: pass}\n")
    assert problems == ()
    assert (found.output.branch, found.commit.granularity) == ("out", "pass")


@pytest.mark.parametrize("raw", [b"", b"# nothing yet\n", b"---\n", b"{}", b"output:\n"])
def test_no_settings_are_the_defaults(raw):
    assert manifests.load_settings("gitops.yaml", raw) == (Settings(), ())


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"ouput: {}\n", 'gitops.yaml:1: unknown field "ouput" (did you mean "output"?)'),
        (b"[1]\n", "gitops.yaml:1: expected an object, found a list"),
        (b"[]\n", "gitops.yaml:1: expected an object, found a list"),
        (b"# c\n---\nfalse\n", "gitops.yaml:3: expected an object, found a boolean"),
        (b"output: {branch: 1}\n", 'gitops.yaml:1: output.branch: expected a string, found a number (quote it: "1")'),
        (b"commit: {author: me}\n", "gitops.yaml:1: commit.author: expected 'Name <email>', not 'me'"),
        (b"output: {}\n---\noutput: {}\n", "gitops.yaml:3: expected one document"),
        (b"output: {}\noutput: {}\n", 'gitops.yaml:2: duplicate key "output": it stands in line 1 already'),
        (b"a: b: c\n", "gitops.yaml:1: mapping values are not allowed"),
    ],
)
def test_wrong_settings_are_no_settings(raw, complaint):
    found, (problem,) = manifests.load_settings("gitops.yaml", raw)
    assert found is None
    assert complaint in str(problem)
