"""Rules of one definition that types cannot tell; each is a problem with file, line and column."""

import pytest
import yaml
from support.definitions import destination, group, store, work

from gitops.core import manifests


def problems(definition):
    found = manifests.load("x.yaml", yaml.safe_dump(definition, sort_keys=False).encode())
    assert bool(found.objects) != bool(found.problems)
    return [problem.message for problem in found.problems]


@pytest.mark.parametrize("path", ["..", "a/../b", ".git", "a/.GIT/hooks", "a\\b", "C:/x", "x" * 256])
def test_a_destination_or_store_with_an_unsafe_path_is_invalid(path):
    for definition in (destination("a", path=path), store("a", path=path)):
        assert problems(definition)[0].startswith("spec.path: ")


@pytest.mark.parametrize("path", [".", "/", "", "a", "/a/", "./a", "a//b"])
def test_the_spellings_of_a_safe_path_are_all_right(path):
    assert problems(destination("a", path=path)) == problems(store("a", path=path)) == []


@pytest.mark.parametrize("filename", ["../x.yaml", "/x.yaml", ".git/config", "a//b"])
def test_an_aggregate_with_an_unsafe_name_is_invalid(filename):
    assert problems(destination("a", mode="aggregatedYAML", filename=filename))[0].startswith(
        "spec.filepath.filename: "
    )


@pytest.mark.parametrize("filename", ["kratix-canary-namespace.yaml", "Kratix-Canary-ConfigMap.yaml/x.yaml"])
def test_an_aggregate_may_not_stand_where_a_canary_document_does(filename):
    name = filename.lower().removesuffix("/x.yaml")
    clash = f"spec.filepath.filename: {name} is a canary document of this Destination"
    assert problems(destination("a", mode="aggregatedYAML", filename=filename)) == [clash]
    assert problems(destination("a", mode="nestedByMetadata", filename=filename)) == []
    without = {"initWorkloads": {"enabled": False}}
    assert problems(destination("a", mode="aggregatedYAML", filename=filename, **without)) == []


@pytest.mark.parametrize(
    "branch",
    ["HEAD", "-x", "a..b", "a b", "refs/heads/x", "x.lock", "/x", "x/", "a//b", "x~1", "@{1}", "@", ".x", "x."],
)
def test_a_branch_that_git_refuses_is_invalid(branch):
    assert problems(store("a", branch=branch))[0].startswith("spec.branch: invalid branch name")


@pytest.mark.parametrize("branch", ["main", "team/a", "v1.2", "a-b_c"])
def test_a_branch_that_git_takes_is_valid(branch):
    assert problems(store("a", branch=branch)) == []


@pytest.mark.parametrize("own", ["a/b", "../../x", "-x", "x" * 64, "a b"])
def test_a_group_id_is_a_label_value_so_that_no_name_made_of_it_leaves_its_place(own):
    assert problems(work("w", groups=[group({}, id=own)]))[0].startswith("spec.workloadGroups[0].id: ")


@pytest.mark.parametrize(
    "groups",
    [
        [group({}, id="x"), group({}, directory="d", id="x")],
        [group({}), group({}, directory="./")],
        [group({}), group({}, directory="d", id="5058f1af8388633f609cadb75a75dc9d")],
    ],
)
def test_groups_of_one_work_need_different_ids(groups):
    own = groups[1].get("id") or "5058f1af8388633f609cadb75a75dc9d"

    assert problems(work("w", groups=groups)) == [
        f"spec.workloadGroups[1]: has the id {own}, as spec.workloadGroups[0] has"
    ]


def test_the_directory_of_a_group_is_a_safe_path():
    assert problems(work("w", groups=[group({}, directory="../x")]))[0].startswith("spec.workloadGroups[0].directory: ")


def test_the_output_branch_is_a_branch():
    settings, wrong = manifests.load_settings("gitops.yaml", b"output: {branch: -x}")

    assert settings is None
    assert wrong[0].message.startswith("output.branch: invalid branch name")
    assert manifests.load_settings("gitops.yaml", b"output: {branch: ''}")[1] == ()
