"""What an agent would take from a document; what it could not take is refused, so that it never sees it."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.core import content, kubernetes
from gitops.core.kubernetes import ObjectId

REAL = Path(__file__).parents[2] / "../shared/real"


def names(text):
    return [str(found) for found in kubernetes.objects(text.encode())]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("# nothing\n", []),
        ("---\n---\n", []),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", ["Namespace/a"]),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", ["ConfigMap/default/a"]),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: n}\n", ["Deployment.apps/n/a"]),
        ("kind: Namespace\nspec: {metadata: {name: no}}\nmetadata: {name: a}\napiVersion: v1\n", ["Namespace/a"]),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n\n---\n"
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n",
            ["Namespace/a", "Namespace/b"],
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
            "- apiVersion: v1\n  kind: NamespaceList\n  items:\n"
            "  - {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
            "- {apiVersion: v1, kind: Namespace, metadata: {name: c}}\n",
            ["Namespace/a", "Namespace/b", "Namespace/c"],
        ),
        ("apiVersion: v1\nkind: List\nitems: []\n", []),
        ("apiVersion: x/v1\nkind: AllowList\nmetadata: {name: a}\n", ["AllowList.x/default/a"]),
        ('{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}', ["Namespace/a"]),
        ("%YAML 1.1\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: !!str 1}\n", ["Namespace/1"]),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: &n a}\nx: {*n : 3}\n", ["Namespace/a"]),
        (
            "x: &m {name: a, namespace: n, labels: {a: b}}\napiVersion: v1\nkind: Secret\nmetadata: *m\n",
            ["Secret/n/a"],
        ),
        (
            "x: [&m {name: a}, &n {name: z, namespace: n}]\napiVersion: v1\nkind: Secret\nmetadata: {<<: [*m, *n]}\n",
            ["Secret/n/a"],
        ),
        (
            "apiVersion: v1\nkind: List\nitems:\n- &o\n  apiVersion: v1\n  kind: Secret\n  metadata: &m {name: a}\n"
            "- <<: *o\n  metadata: {<<: *m, namespace: n}\n",
            ["Secret/default/a", "Secret/n/a"],
        ),
    ],
)
def test_the_objects_of_a_document(text, found):
    assert names(text) == found


def test_two_versions_of_an_api_are_one_object():
    old, new = (f"apiVersion: apps/{v}\nkind: Deployment\nmetadata: {{name: a}}\n" for v in ("v1beta1", "v1"))
    assert kubernetes.objects(old.encode()) == kubernetes.objects(new.encode())
    assert kubernetes.objects(new.encode()) == (ObjectId("apps", "Deployment", "default", "a"),)


HEAD = "apiVersion: v1\nkind: Secret\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", 'line 1: expected a Kubernetes object, found "hello"'),
        ("# c\n---\n- a\n", "line 2: expected a Kubernetes object, found a list"),
        ("a: 1\n", "line 1: the object has no apiVersion"),
        ("apiVersion: v1\n", "line 1: the object has no kind"),
        (HEAD, "line 1: the object has no metadata.name"),
        (HEAD + "metadata: []\n", "line 1: the object has no metadata.name"),
        (HEAD + "metadata: {generateName: a-}\n", "line 1: the object has no metadata.name"),
        (HEAD + "metadata: {name: ''}\n", "line 1: the object has no metadata.name"),
        (HEAD + "metadata: {name: 12}\n", "line 1: metadata.name: expected a string, found a number"),
        (HEAD + "metadata: {name: a, namespace: true}\n", "metadata.namespace: expected a string, found a boolean"),
        (HEAD + "metadata: {name: a}\n---\nkind: Secret\n", "line 5: the object has no apiVersion"),
        ("kind: List\nitems:\n- kind: Secret\n", "line 3: the object has no apiVersion"),
        ("kind: List\nitems: [null]\n", "line 1: expected a Kubernetes object, found nothing"),
        (HEAD + "metadata: {name: a}\ndata: {b: 1, b: 2}\n", 'line 4: duplicate key "b"'),
        (HEAD + "metadata: {name: a}\ndata: [\n", "line 5: did not find expected node content"),
        (HEAD + "metadata: {name: a}\ndata: *x\n", "line 4: the alias *x has no anchor"),
        (HEAD + "metadata: {name: a}\ndata: {{ .Values.x }}\n", "line 4: a list or mapping cannot be a key: is this a"),
        (HEAD + "metadata: {name: a}\ndata:\n  ? [a]\n  : b\n", "line 5: a list or mapping cannot be a key"),
        (HEAD + "metadata: {<<: x}\n", "line 3: the merge key << wants a mapping"),
        (HEAD + 'metadata:\n  name: a\n  labels:\n    v: "1\ndata: "x"\n', "a block mapping that begins in line 6"),
        ("a: " * 3 + "b\n", "line 1: mapping values are not allowed"),
        ("a: " + "[" * 100_000, "line 1: nested deeper than 128 levels"),
    ],
)
def test_what_no_agent_can_build_is_refused_with_its_line(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared below
        kubernetes.objects(text.encode())
    assert message in str(caught.value)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ValueError, match="not UTF-8"):
        kubernetes.objects(b"\xff\xfe\0a")


MERGES = "a0: &a0 {name: a}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 1_000))


def test_a_bomb_of_merge_keys_costs_no_more_than_its_text():
    assert names(f"{HEAD}{MERGES}metadata: *a999\n") == ["Secret/default/a"]


@pytest.mark.skipif(not REAL.exists(), reason="the Works of a real cluster are not here")
def test_documents_of_real_works():
    found = {}
    for path in REAL.glob("*.yaml"):
        for group in yaml.safe_load(path.read_bytes())["spec"]["workloadGroups"]:
            for workload in group["workloads"]:
                raw = content.decode(workload["content"])
                try:
                    found[workload["filepath"]] = len(kubernetes.objects(raw))
                except ValueError as error:
                    found[workload["filepath"]] = str(error)
    assert found == {
        "cert-manager.yaml": 46,
        "jenkins.io_jenkins.yaml": 1,
        "all-redis-operator-resources.yaml": 5,
        "databases.spotahome.com_redisfailovers.yaml": 1,
        # its line 242 opens a quote that is never closed
        "all-in-one-v1alpha2.yaml": (
            "line 287: did not find expected key, while parsing a block mapping that begins in line 240"
        ),
    }


def expected(document):
    """The same verdict from a whole load."""
    if str(document.get("kind")).endswith("List") and isinstance(document.get("items"), list):
        return [found for item in document["items"] for found in expected(item)]
    metadata = document["metadata"]
    group = document["apiVersion"].rpartition("/")[0]
    return [ObjectId(group, document["kind"], metadata.get("namespace") or "default", metadata["name"])]


label = st.sampled_from(["a", "b", "name", "kind", "items", "metadata", "x-1"])
objects = st.fixed_dictionaries(
    {"apiVersion": st.sampled_from(["v1", "apps/v1"]), "kind": st.just("Secret")},
    optional={
        "spec": st.dictionaries(label, st.dictionaries(label, label)),
        "data": st.lists(st.dictionaries(st.sampled_from(["metadata", "name", "items", "kind"]), label)),
    },
).flatmap(
    lambda body: st.fixed_dictionaries(
        {"name": label}, optional={"namespace": label, "labels": st.just({"name": "x"})}
    ).map(lambda metadata: {**body, "metadata": metadata})
)
lists = st.lists(objects, max_size=3).map(lambda items: {"apiVersion": "v1", "kind": "List", "items": items})


@given(st.lists(objects | lists, max_size=4))
@settings(deadline=None)
def test_the_skeleton_says_what_the_whole_says(documents):
    raw = yaml.safe_dump_all(documents, sort_keys=False).encode()  # with anchors for what comes twice
    assert list(kubernetes.objects(raw)) == [found for document in documents for found in expected(document)]
