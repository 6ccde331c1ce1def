"""Documents from folders and templates, as a pass delivers them."""

import base64
import gzip
import re
from pathlib import Path

import pytest
from pygit2.enums import FileMode
from support.definitions import configmap, destination, group, selector, work
from support.passes import settle

from gitops.core.documents import CostlyTemplateError
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler

PLACE = "state/dev/dependencies/redis/instance-configure"
P, W = "works/default/r/r.dev-5058f.yaml", "works/default/r/work.yaml"


def dev(**fields):
    return {"destinations/dev.yaml": destination("dev", env="dev", **fields)}


def folder_work(*directories, **fields):
    return work("r", groups=[group(None, selector(env="dev"), directory=d) for d in directories or ["."]], **fields)


def delivered(platform, short="5058f"):
    return {path.removeprefix(f"{PLACE}/{short}/"): raw for path, raw in platform.files(f"{PLACE}/{short}/").items()}


# folders


def test_a_folder_with_a_work_yaml_is_delivered_as_it_is(platform):
    odd = b"\x00\xff no text, no newline"
    platform.commit(
        {
            **dev(),
            "works/team/r/work.yaml": folder_work(),
            "works/team/r/x.yaml": configmap("x"),
            "works/team/r/d/odd.bin": odd,
            "works/team/r/d/work.yaml": configmap("w"),
        }
    )
    settle(platform)

    assert delivered(platform) == {
        "x.yaml": configmap("x").encode(),
        "d/odd.bin": odd,
        "d/work.yaml": configmap("w").encode(),
    }
    assert platform.status(W)["status"]["source"] == "works/team/r/work.yaml"


def test_the_rest_is_all_but_the_directories_of_other_groups(platform):
    files = {"x.txt": "x", "alerts/a.txt": "a", "alerts/deep/b.txt": "b", "more/c.txt": "c"}
    platform.commit(
        {
            **dev(),
            "works/r/work.yaml": folder_work(".", "alerts/"),
            **{f"works/r/{path}": text for path, text in files.items()},
        }
    )
    settle(platform)

    alerts = "0d2f06fe3c1cb0cbb2fa9a2ea4b8ab24"
    found = platform.status(W)["status"]["workPlacements"], set(delivered(platform))
    assert found == (2, {"x.txt", "more/c.txt"})
    other = next(f for f in platform.statuses() if f.startswith("works/default/r/r.dev-") and "5058f" not in f)
    assert set(delivered(platform, other[-10:-5])) == {"alerts/a.txt", "alerts/deep/b.txt"}, alerts


def test_the_rest_is_without_the_directory_of_a_group_that_has_its_documents_inline(platform):
    inline = group({"a.txt": "inline"}, selector(env="dev"), directory="alerts")
    made = work("r", groups=[group(None, selector(env="dev"), directory="."), inline])
    platform.commit({**dev(), "works/r/work.yaml": made, "works/r/x.txt": "x", "works/r/alerts/old.txt": "old"})
    settle(platform)

    assert delivered(platform) == {"x.txt": b"x"}


def test_a_changed_added_or_removed_file_of_a_folder_is_an_update(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work(), "works/r/a.txt": "a", "works/r/b.txt": "b"})
    settle(platform)
    for change, expected in (
        ({"works/r/a.txt": "new"}, {"a.txt": b"new", "b.txt": b"b"}),
        ({"works/r/c.txt": "c"}, {"a.txt": b"new", "b.txt": b"b", "c.txt": b"c"}),
        ({"works/r/b.txt": None}, {"a.txt": b"new", "c.txt": b"c"}),
    ):
        generation = platform.status(W)["metadata"]["generation"]
        platform.commit(change)
        settle(platform)
        assert delivered(platform) == expected
        assert platform.status(W)["metadata"]["generation"] == generation + 1


def test_an_executable_file_is_delivered_as_an_ordinary_one(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work()})
    entries = {"works/r/run": (FileMode.BLOB_EXECUTABLE, platform.repo.create_blob(b"#!/bin/sh\n"))}
    platform._record(
        "main", platform._tree(platform.tip(), [], entries), [platform.tip()], "script", ("Ada", "ada@example.org")
    )
    settle(platform)

    assert platform.repo[platform.tip()].tree[f"{PLACE}/5058f/run"].filemode == FileMode.BLOB


def test_a_link_in_a_folder_holds_its_group_back_and_is_not_followed(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work(".", "other"), "works/r/other/x.txt": "x"})
    platform.link("works/r/secret", "/etc/passwd")
    settle(platform)

    assert platform.condition(P, "WriteSucceeded") == (
        "False",
        "InvalidDocument",
        "secret: is a symbolic link, not a file",
    )
    assert delivered(platform) == {}
    assert list(platform.files(PLACE)) == [f"{PLACE}/795f3/other/x.txt"]


def test_a_folder_work_becomes_a_file_and_back_without_moving(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work(), "works/r/x.txt": "x"})
    settle(platform)
    version = platform.status(P)["status"]["versionID"]
    platform.commit(
        {"works/r/work.yaml": None, "works/r/x.txt": None, "works/r.yaml": work("r", {"x.txt": "x"}, env="dev")}
    )
    settle(platform)

    assert delivered(platform) == {"x.txt": b"x"}
    assert platform.status(P)["status"]["versionID"] == version
    assert platform.status(W)["status"]["source"] == "works/r.yaml"


def test_a_group_without_workloads_in_a_plain_file_is_invalid(platform):
    platform.commit({**dev(), "works/r.yaml": folder_work()})
    settle(platform)

    assert platform.condition(W)[1] == "InvalidDefinition"
    assert "needs a folder Work" in platform.condition(W)[2]


def test_a_folder_without_its_work_yaml_any_more_is_a_removed_work(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work(), "works/r/x.txt": "x"})
    settle(platform)
    platform.commit({"works/r/work.yaml": None})
    settle(platform)

    assert not platform.files(PLACE)
    assert not platform.files("status/works")


def test_yaml_beside_a_work_yaml_is_a_document_and_no_definition(platform):
    platform.commit({**dev(), "works/r/work.yaml": folder_work(), "works/r/other.yaml": work("other", env="dev")})
    settle(platform)

    assert not platform.files("status/works/default/other")
    assert set(delivered(platform)) == {"other.yaml"}


def test_text_and_packed_content_of_the_same_bytes_are_the_same_documents(platform):
    platform.commit({**dev(), "works/r.yaml": work("r", {"x.yaml": configmap("x")}, env="dev")})
    settle(platform)
    before = platform.blobs("state/")
    version = platform.status(P)["status"]["versionID"]
    for level in (1, 9):
        packed = base64.b64encode(gzip.compress(configmap("x").encode(), level, mtime=level)).decode()
        platform.commit({"works/r.yaml": work("r", {"x.yaml": packed}, env="dev")})
        settle(platform)

    assert (platform.blobs("state/"), platform.status(P)["status"]["versionID"]) == (before, version)


# templates

TEMPLATE = (
    "{{ work.metadata.namespace }}/{{ work.metadata.name }} {{ work.spec.promiseName }} "
    "{{ work.metadata.labels['kratix.io/pipeline-name'] }} "
    "on {{ destination.metadata.name }} {{ destination.metadata.labels.env }} {{ destination.spec.path }} "
    "{{ group.directory }} {{ group.id }} {{ values.size }} {{ values.zone }}\n"
)


def test_a_template_is_rendered_for_each_destination_with_its_own_values(platform):
    for name in ("a", "b"):
        values = {"zone": name, **({"size": 9} if name == "b" else {})}
        platform.commit({f"destinations/{name}.yaml": destination(name, env="dev", values=values)})
    platform.commit(
        {
            "works/r.yaml": work(
                "r", {"x.txt.j2": TEMPLATE, "y.txt": "{{ plain }}"}, values={"size": 1, "zone": "none"}, env="dev"
            )
        }
    )
    settle(platform)

    def of(name):
        return {
            p.rpartition("/")[2]: raw.decode() for p, raw in platform.files(f"state/{name}/dependencies/redis").items()
        }

    common = "default/r redis instance-configure on {0} dev {0} . 5058f1af8388633f609cadb75a75dc9d {1} {0}\n"
    assert of("a") == {"x.txt": common.format("a", 1), "y.txt": "{{ plain }}"}
    assert of("b") == {"x.txt": common.format("b", 9), "y.txt": "{{ plain }}"}


def test_the_group_of_a_template_is_its_own(platform):
    groups = [
        group({"x.txt.j2": "{{ group.directory }} {{ group.id }}"}, selector(env="dev"), directory=d, id=own)
        for d, own in (("one", "mine"), ("two", ""))
    ]
    platform.commit(
        {
            **dev(mode="none"),
            "works/r.yaml": work("r", groups=[groups[0]], env="dev"),
            "works/s.yaml": work(
                "s", groups=[{**groups[1], "workloads": [{"filepath": "y.txt.j2", "content": "{{ group.directory }}"}]}]
            ),
        }
    )
    settle(platform)

    assert platform.files("state/dev")["state/dev/x.txt"] == b"one mine"
    assert platform.files("state/dev")["state/dev/y.txt"] == b"two"


@pytest.mark.parametrize(
    ("size", "zone", "own", "text"),
    [(2, "x", 1, b"2x1"), (1, "y", 1, b"1y1"), (1, "x", 2, b"1x2")],
    ids=["values", "label", "work values"],
)
def test_what_a_template_depends_on_changes_its_documents(platform, size, zone, own, text):
    template = {"x.txt.j2": "{{ values.size }}{{ destination.metadata.labels.zone }}{{ values.own }}"}
    before = {**dev(values={"size": 1}, zone="x"), "works/r.yaml": work("r", template, values={"own": 1}, env="dev")}
    after = {
        **dev(values={"size": size}, zone=zone),
        "works/r.yaml": work("r", template, values={"own": own}, env="dev"),
    }
    platform.commit(before)
    settle(platform)
    platform.commit(after)
    settle(platform)

    assert delivered(platform) == {"x.txt": text}


def test_a_template_that_fails_on_one_destination_goes_on_on_the_other(platform):
    platform.commit(
        {
            "destinations/a.yaml": destination("a", env="dev", values={"size": 1}),
            "destinations/b.yaml": destination("b", env="dev"),
        }
    )
    platform.commit({"works/r.yaml": work("r", {"x.txt.j2": "{{ values.size }}"}, env="dev")})
    settle(platform)

    assert platform.condition("works/default/r/r.a-5058f.yaml")[0] == "True"
    assert platform.condition("works/default/r/r.b-5058f.yaml", "WriteSucceeded")[:2] == ("False", "TemplateError")
    assert platform.condition(W) == ("False", "WorkplacementsFailing", "Workplacements failed to write: [r.b-5058f]")


def test_a_template_that_costs_too_much_on_one_destination_is_tried_on_no_other(platform):
    """Else it would take its whole share for each of a hundred Destinations, and all others would wait."""
    tried = []

    def renderer(_text, scope):
        tried.append(scope["destination"]["metadata"]["name"])
        if tried[-1] == "b":
            raise CostlyTemplateError("it takes more than its share")
        return b"x"

    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev") for name in "abc"})
    platform.commit({"works/r.yaml": work("r", {"x.txt.j2": "{{ values.size }}"}, env="dev")})
    Reconciler(Repository.open(platform.path), "main", platform.clock, renderer).reconcile()

    assert tried == ["a", "b"]
    for name in "abc":
        told = platform.condition(f"works/default/r/r.{name}-5058f.yaml", "WriteSucceeded")
        assert told == ("False", "TemplateError", "x.txt.j2: it takes more than its share")


def test_a_template_sees_all_that_the_reference_names(platform):
    table = (
        (Path(__file__).parents[2] / "docs/reference.md").read_text().partition("## Templates")[2].partition("\n## ")[0]
    )
    names = re.findall(r"^\| (`.*`) \|", table, re.MULTILINE)
    names = re.findall(r"`([\w.]+)`", " ".join(names))
    template = "".join(f"{name}={{{{ {name} }}}}\n" for name in names)
    platform.commit({**dev(), "works/r.yaml": work("r", {"x.txt.j2": template}, env="dev")})
    platform.reconcile()

    told = delivered(platform)["x.txt"].decode()
    assert [line.partition("=")[0] for line in told.splitlines()] == names
    assert "work.spec.resourceName=\n" in told
    assert "destination.metadata.labels={'env': 'dev'}\n" in told
    assert {name.partition(".")[0] for name in names} == {"work", "destination", "group", "values"}
