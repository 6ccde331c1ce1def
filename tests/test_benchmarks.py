"""The benchmark measures what it says: the source has the size that was asked for, and the report judges rightly."""

import gzip
import json
import subprocess
import xml.etree.ElementTree as ElementTree
from base64 import b64decode

import pytest
import yaml

pytest.importorskip("benchmarks", reason="not part of the source distribution")

from benchmarks import curve, report, source
from benchmarks.report import Row, compare
from benchmarks.repository import Repository
from benchmarks.source import Size

SMALL = Size(40, 3)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Repository:
    return source.build(tmp_path_factory.mktemp("benchmark") / "source.git", SMALL)


def definitions(repo: Repository, folder: str) -> list[dict]:
    names = repo.git("ls-tree", "-r", "--name-only", "main", folder).splitlines()
    return [yaml.safe_load(repo.git("show", f"main:{n}")) for n in names if not n.endswith(("map.yaml", "ment.yaml"))]


def matches(work: dict, destination: dict) -> bool:
    (group,) = work["spec"]["workloadGroups"]
    wanted = group["destinationSelectors"][0]["matchLabels"].items()
    return wanted <= destination["metadata"]["labels"].items()


@pytest.mark.parametrize("size", [Size(2, 1), Size(30, 3), Size(1000, 10), Size(10_000, 100)])
def test_the_total_is_the_average_times_the_works(size):
    assert size.total == size.works * size.placements


def test_the_selectors_lead_to_as_many_placements_as_the_size_says(built):
    places = definitions(built, "destinations")
    works = definitions(built, "works")
    fits = {w["metadata"]["name"]: sum(matches(w, d) for d in places) for w in works}
    single = {w["metadata"]["name"] for w in works if "resourceName" in w["spec"]}

    assert len(places) == SMALL.destinations
    assert len(works) == SMALL.works
    assert sum(1 if name in single else number for name, number in fits.items()) == SMALL.total
    assert all(fits.values())


def test_there_are_works_of_every_form(built):
    groups = [work["spec"]["workloadGroups"][0] for work in definitions(built, "works")]
    contents = [load["content"] for group in groups for load in group.get("workloads", ())]
    packed = [content for content in contents if content.startswith("H4sI")]

    assert sum("workloads" not in group for group in groups) == SMALL.works // 10
    assert len(packed) == 2 * SMALL.works // 10
    plain = [*(c for c in contents if c not in packed), *(gzip.decompress(b64decode(c)).decode() for c in packed)]
    assert {yaml.safe_load(text)["kind"] for text in plain} == {"ConfigMap", "Deployment"}
    assert all(1000 < len(text) < 4200 for text in plain)


def test_the_source_is_the_same_each_time(built, tmp_path):
    assert source.build(tmp_path / "again.git", SMALL).tip() == built.tip()


def test_a_change_is_one_line_of_one_document(built):
    (before,), (after,) = source.work(20).values(), source.change(1, SMALL).values()

    assert sum(a != b for a, b in zip(before.splitlines(), after.splitlines(), strict=True)) == 1


def test_one_relabelled_destination_gains_what_a_dependency_of_its_zone_has(built):
    works = definitions(built, "works")
    ((_, raw),) = source.destination(0, tier=source.STANDARD).items()
    gained = [w for w in works if "resourceName" not in w["spec"] and matches(w, yaml.safe_load(raw))]

    assert len(gained) * 10 == SMALL.works


def test_a_commit_moves_nothing_until_it_is_told(built, tmp_path):
    repo = built.copy(tmp_path / "copy.git")
    begun = repo.tip()
    commit = repo.commit([("docs/x", b"x")], begun, "A change")

    assert repo.tip() == begun
    assert repo.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    with repo.moving(commit):
        repo.moved(begun)
    assert repo.tip() == commit
    assert repo.git("diff-tree", "-r", "--name-only", begun, commit).split() == ["docs/x"]
    subprocess.run(["git", "-C", repo.path, "fsck", "--strict"], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("value", "must", "goal", "verdict"),
    [
        (0.5, 1.0, 0.6, "goal"),
        (0.8, 1.0, 0.6, "must"),
        (1.1, 1.0, 0.6, "MISSED"),
        (0.5, 1.0, None, "must"),
        (3.0, None, 2.0, "reported"),
        (3.0, None, None, "reported"),
        (None, 1.0, 0.6, "not available"),
    ],
)
def test_a_row_is_judged_by_its_bounds(value, must, goal, verdict):
    assert Row("1", "cold", value, must=must, goal=goal).verdict == verdict


def test_the_table_has_medians_their_ratio_and_the_notes():
    row = compare("1", "cold", [3.0, 1.0, 2.0], [4.0, 9.0, 1.0], must=1.0, goal=0.6, note="why")

    *_, line, _, note = report.table([row]).splitlines()

    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "1", "cold", "2.00 s", "4.00 s", "0.50", "1.00", "0.60", "goal",
    ]  # fmt: skip
    assert note == "1: why"
    (figure,) = json.loads(json.dumps(report.as_json([row])))["figures"]
    assert figure["ours"] == [3.0, 1.0, 2.0]
    assert figure["verdict"] == "goal"


def test_the_drawing_is_an_svg_with_both_curves():
    points = [curve.Point(1_000, 0.2, 0.1, 60), curve.Point(10_000, 1.5, 2.5, 90)]

    root = ElementTree.fromstring(curve.draw(points))

    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 2]
