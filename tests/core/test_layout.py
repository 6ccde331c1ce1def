"""Where documents stand: Kratix's golden paths, in each mode, for dependencies and resource requests."""

import pytest
from support.definitions import work

from gitops.api.destination import AGGREGATED, FLAT, NESTED, Destination
from gitops.api.work import Work
from gitops.core import layout, targets
from gitops.core.documents import Documents, Refusal
from gitops.core.kubernetes import ObjectId
from gitops.core.outline import outline
from gitops.core.tree import EMPTY


def a_work(**fields):
    return outline(Work.model_validate(work("redis-example", **fields)))


def target(**spec):
    found = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Destination",
        "metadata": {"name": "dev"},
        "spec": spec,
    }
    return targets.resolve([Destination.model_validate(found)], {"embedded": targets.embedded("main")}, {}, {"main"})[
        "dev"
    ]


def documents(*paths, unfit=None):
    return Documents(tuple((path, b"\0" * 20) for path in paths), EMPTY, unfit=unfit)


@pytest.mark.parametrize(
    ("fields", "short", "expected"),
    [
        ({"request": "example"}, "5058f", "resources/default/redis/example/instance-configure/5058f"),
        ({"request": "example"}, "70524", "resources/default/redis/example/instance-configure/70524"),
        ({"request": "example", "pipeline": ""}, "5058f", "resources/default/redis/example/5058f"),
        (
            {"request": "example", "namespace": "team-a"},
            "5058f",
            "resources/team-a/redis/example/instance-configure/5058f",
        ),
        ({}, "5058f", "dependencies/redis/instance-configure/5058f"),
        ({"pipeline": ""}, "5058f", "dependencies/redis/5058f"),
        ({"promise": "", "pipeline": ""}, "5058f", "dependencies/redis-example/5058f"),
        (
            {"promise": "", "request": "example"},
            "5058f",
            "resources/default/redis-example/example/instance-configure/5058f",
        ),
    ],
)
def test_kratix_nested_directories(fields, short, expected):
    assert layout.place(a_work(**fields), short, NESTED) == expected


@pytest.mark.parametrize("mode", [FLAT, AGGREGATED])
@pytest.mark.parametrize("request_name", ["", "example"])
def test_the_flat_modes_have_no_directories_of_their_own(mode, request_name):
    assert layout.place(a_work(request=request_name), "5058f", mode) == ""


@pytest.mark.parametrize(
    ("mode", "namespace", "configmap"),
    [
        (NESTED, "dependencies/kratix-canary-namespace.yaml", "resources/kratix-canary-configmap.yaml"),
        (FLAT, "kratix-canary-namespace.yaml", "kratix-canary-configmap.yaml"),
        (AGGREGATED, "kratix-canary-namespace.yaml", "kratix-canary-configmap.yaml"),
    ],
)
def test_canaries_are_kratix_own(mode, namespace, configmap):
    found = layout.canaries(target(filepath={"mode": mode}))

    assert found.keys() == {namespace, configmap}
    assert b"name: kratix-worker-system" in found[namespace]
    assert b"canary: this confirms your infrastructure is reading from Kratix state stores" in found[configmap]


def test_no_canaries_when_they_are_switched_off():
    assert layout.canaries(target(initWorkloads={"enabled": False})) == {}


@pytest.mark.parametrize("mode", [NESTED, FLAT])
@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.Git", "a\\b", "x" * 256, "a\nb"])
def test_k4_a_path_that_is_unsafe_is_refused_by_name(mode, path):
    refusal = layout.refusal(target(filepath={"mode": mode}), "", documents(path))

    assert refusal is not None
    assert refusal.reason == "InvalidDocument"


def test_the_whole_path_is_checked_not_only_the_document():
    refusal = layout.refusal(target(), layout.place(a_work(promise="a/../../b"), "5058f", NESTED), documents("x.yaml"))

    assert refusal is not None
    assert "a/../../b" in refusal.message


def test_only_agents_mind_what_is_no_kubernetes_object():
    unfit = Refusal("InvalidDocument", "x.yaml: the object has no kind", "x.yaml")
    odd = documents("x.yaml", unfit=unfit)

    assert layout.refusal(target(agent="flux"), "", odd) == unfit
    assert layout.refusal(target(agent="none"), "", odd) is None


@pytest.mark.parametrize(("mode", "agent"), [(NESTED, "flux"), (AGGREGATED, "flux"), (FLAT, "none")])
def test_an_agent_is_flux_unless_the_mode_is_none(mode, agent):
    assert target(filepath={"mode": mode}).agent == agent


def test_k8_equal_nested_directories_exclude_each_other_and_neighbours_do_not():
    one, other = (
        layout.claim(target(), root, documents("x")) for root in ("dependencies/a/5058f", "dependencies/b/5058f")
    )

    assert one.exclusive == layout.claim(target(), "dependencies/a/5058f", documents("y")).exclusive
    assert not one.exclusive & (other.exclusive | other.shared)


def test_in_mode_none_a_file_excludes_a_directory_of_its_name():
    flat = target(filepath={"mode": FLAT})
    file, below = (layout.claim(flat, "", documents(path)) for path in ("d/x", "d/x/y"))

    assert file.exclusive & below.shared


def test_paths_that_are_one_file_on_some_disk_exclude_each_other():
    flat = target(filepath={"mode": FLAT})
    lower, upper = (layout.claim(flat, "", documents(path)) for path in ("d/x.yaml", "D/X.yaml"))

    assert lower.exclusive == upper.exclusive


def test_what_is_lost_is_named_with_its_owner():
    config = ObjectId("", "ConfigMap", "default", "settings")
    path, thing = layout.path_claim(["a/b.yaml"]), layout.object_claim(frozenset({config}))
    taken = "ConfigMap/default/settings is already delivered by default/a.dev-5058f"

    assert layout.lost(*path.exclusive, "default/a.dev-5058f") == Refusal(
        "PathConflict", "a/b.yaml belongs to default/a.dev-5058f"
    )
    assert layout.lost(*thing.exclusive, "default/a.dev-5058f") == Refusal("InvalidDocument", taken)
