"""Works as a Kratix cluster has them, committed as they are."""

import base64
import gzip
from pathlib import Path

import pytest
import yaml
from support.definitions import configmap, destination
from support.passes import settle

REAL = Path(__file__).parents[2] / "../shared/real"
FILES = sorted(REAL.glob("*.yaml"))


def expected(work):
    """What Kratix writes for a Work of one group, by path below a nested Destination."""
    spec, labels = work["spec"], work["metadata"]["labels"]
    parts = (
        ["resources", work["metadata"]["namespace"], spec["promiseName"], spec["resourceName"]]
        if spec.get("resourceName")
        else ["dependencies", spec["promiseName"]]
    )
    place = "/".join([*parts, labels["kratix.io/pipeline-name"], spec["workloadGroups"][0]["id"][:5]])
    return {
        f"{place}/{w['filepath']}": gzip.decompress(base64.b64decode(w["content"]))
        for w in spec["workloadGroups"][0]["workloads"]
    }


def delivered(platform, name):
    prefix = f"state/{name}/"
    return {
        path.removeprefix(prefix): raw for path, raw in platform.files(prefix).items() if "kratix-canary" not in path
    }


def sound(raw):
    """Whether any reader of YAML takes it."""
    try:
        list(yaml.safe_load_all(raw))
    except yaml.YAMLError:
        return False
    return True


@pytest.mark.skipif(not FILES, reason="the corpus of real Works is not beside this checkout")
def test_real_works_are_delivered_byte_for_byte(platform):
    works = {file.name: file.read_bytes() for file in FILES}
    selectors = [
        s
        for raw in works.values()
        for g in yaml.safe_load(raw)["spec"]["workloadGroups"]
        for s in g["destinationSelectors"]
    ]
    labels = {key: value for selector in selectors for key, value in selector["matchLabels"].items()}
    platform.commit(
        {
            "destinations/bare.yaml": destination("bare", agent="none", **labels),
            "destinations/flat.yaml": destination("flat", mode="none", **labels),
            "destinations/flux.yaml": destination("flux", **labels),
            "destinations/other.yaml": destination("other", env="other"),
        }
    )
    platform.commit({f"works/{name}": raw for name, raw in works.items()})
    settle(platform)

    wanted = [expected(yaml.safe_load(work)) for work in works.values()]
    assert delivered(platform, "bare") == {path: raw for documents in wanted for path, raw in documents.items()}
    assert delivered(platform, "flat") == {
        path.split("/", 4)[4]: raw for documents in wanted for path, raw in documents.items()
    }
    assert delivered(platform, "other") == {}
    # one of them is no YAML, so that for an agent its Work is held back, and the others go on
    fit = [documents for documents in wanted if all(map(sound, documents.values()))]
    assert delivered(platform, "flux") == {path: raw for documents in fit for path, raw in documents.items()}


def dumped(name, number, resource=""):
    """A Work with all that `kubectl get works -o yaml` shows of it."""
    content = base64.b64encode(gzip.compress(configmap(name).encode(), mtime=0)).decode()
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Work",
        "metadata": {
            "annotations": {"kratix.io/trace-parent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
            "creationTimestamp": "2026-08-20T09:14:31Z",
            "deletionGracePeriodSeconds": 0,
            "finalizers": ["kratix.io/work-cleanup"],
            "generateName": "x-",
            "generation": 2,
            "labels": {
                "kratix.io/pipeline-name": "instance-configure",
                "kratix.io/promise-name": "redis",
                "kratix.io/resource-name": name,
                "kratix.io/resource-namespace": "default",
                "kratix.io/work-type": "resource",
            },
            "managedFields": [{"manager": "manager", "operation": "Update", "fieldsV1": {"f:spec": {".": {}}}}],
            "name": f"redis-{name}-instance-configure-{number:05x}",
            "namespace": "default",
            "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "y"}],
            "resourceVersion": str(18_000 + number),
            "selfLink": "/apis/x",
            "uid": f"92f03fb7-0d7e-4c6f-9a54-{number:012x}",
        },
        "spec": {
            "lastExecutionTimestamp": "2026-08-20T09:14:31Z",
            "promiseName": "redis",
            "resourceName": resource or name,
            "workloadGroups": [
                {
                    "destinationSelectors": [
                        {"matchLabels": {"environment": "dev"}, "source": "promise"},
                        {"matchLabels": {"environment": "prod"}, "source": "resource-workflow"},
                    ],
                    "directory": ".",
                    "id": "5058f1af8388633f609cadb75a75dc9d",
                    "workloads": [{"content": content, "filepath": f"{name}.yaml"}],
                }
            ],
        },
        "status": {
            "conditions": [
                {
                    "lastTransitionTime": "2026-08-20T09:14:32Z",
                    "message": "Ready",
                    "reason": "AllWorkplacementsScheduled",
                    "status": "True",
                    "type": "Ready",
                }
            ],
            "workPlacements": 1,
            "workPlacementsCreated": 1,
        },
    }


@pytest.mark.parametrize("form", ["list", "documents", "files", "json"])
def test_a_dump_of_a_cluster_is_taken_as_it_is(platform, form):
    works = [dumped(name, number) for number, name in enumerate(("small", "large"))]
    listed = {"apiVersion": "v1", "items": works, "kind": "List", "metadata": {"resourceVersion": "", "selfLink": ""}}
    platform.commit({"destinations/dev.yaml": destination("dev", environment="dev")})
    platform.commit(
        {
            "list": {"works/dump.yaml": listed},
            "json": {"works/dump.json": yaml.safe_dump(listed, default_flow_style=True, width=100_000)},
            "documents": {"works/dump.yaml": works},
            "files": {f"works/{work['metadata']['name']}.yaml": work for work in works},
        }[form]
    )
    settle(platform)

    assert delivered(platform, "dev") == {path: raw for work in works for path, raw in expected(work).items()}
    assert platform.subjects()[0].startswith("status: 2 Works, 2 Ready")
    assert "status/repository.yaml" not in platform.files()


def test_a_newer_dump_of_the_same_objects_changes_no_document_and_no_version(platform):
    platform.commit(
        {"destinations/dev.yaml": destination("dev", environment="dev"), "works/dump.yaml": [dumped("small", 1)]}
    )
    settle(platform)
    before = platform.blobs("status/works")
    newer = dumped("small", 1)
    newer["metadata"]["resourceVersion"], newer["metadata"]["generation"], newer["status"] = (
        "99999",
        9,
        {"conditions": []},
    )
    platform.commit({"works/dump.yaml": [newer]})
    settle(platform)

    assert platform.blobs("status/works") == before


def test_one_damaged_item_of_a_list_stops_only_itself(platform):
    bad = dumped("small", 1)
    bad["spec"]["workloadGroups"][0]["workload"] = []
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", environment="dev"),
            "works/dump.yaml": {"apiVersion": "v1", "kind": "List", "items": [bad, dumped("large", 2)]},
        }
    )
    settle(platform)

    assert platform.subjects()[0].startswith("status: 2 Works, 1 Ready, 1 Invalid")
