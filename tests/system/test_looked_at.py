"""A pass decides the Works anew that a change concerns, and no others: a missed one is a lie, one too many is slow."""

from collections import Counter

import pytest
from support.definitions import API_VERSION, configmap, destination, group, selector, store, work
from support.platform import BOB, DAEMON

from gitops.core import yaml
from gitops.errors import RepositoryError
from gitops.git import refs
from gitops.git.stored import Stored

HALVES = ("flat", "later")  # of one Work: for the second there is no Destination yet
BUCKET = {
    "apiVersion": API_VERSION,
    "kind": "BucketStateStore",
    "metadata": {"name": "bucket"},
    "spec": {"bucketName": "b", "endpoint": "e"},
}
BASE = {
    "destinations/dev.yaml": destination("dev", env="dev"),
    "destinations/prod.yaml": destination("prod", env="prod", cleanup="none"),
    "destinations/flat.yaml": destination("flat", env="flat", mode="none"),
    "destinations/all.yaml": destination("all", env="all", mode="aggregatedYAML"),
    "destinations/side.yaml": destination("side", env="side", store="side"),
    "statestores/bucket.yaml": BUCKET,
    "statestores/side.yaml": store("side", "documents"),
    "works/asked.yaml": work("asked", env="dev", request="asked"),
    "works/both.yaml": [work("one", env="all"), work("two", env="all")],
    "works/dev.yaml": work("dev", env="dev"),
    "works/flat.yaml": work("flat", env="flat"),
    "works/half.yaml": work("half", groups=[group({"h": "1"}, selector(env=env), directory=env) for env in HALVES]),
    "works/later.yaml": work("later", env="later", request="later"),
    "works/nowhere.yaml": work("nowhere", env="nowhere"),
    "works/prod.yaml": work("prod", env="prod"),
    "works/side.yaml": work("side", env="side"),
}
RIVALS = [
    group({"flat.yaml": configmap("new"), "h/x": "1"}, selector(env="flat"), directory="a"),
    group({"side.yaml": configmap("new")}, selector(env="side"), directory="b"),
]
DOCUMENT = "state/dev/dependencies/redis/instance-configure/5058f/dev.yaml"
UNREADABLE = "{"


@pytest.fixture
def daemon(platform):
    """One that has nothing left to do."""
    platform.commit(BASE)
    daemon = platform.reconciler()
    daemon.reconcile()
    assert DOCUMENT in platform.files()
    return daemon


def looked_at(daemon):
    """The Works that its next pass decides anew."""
    return {key.name for key in daemon.plan().plan.decided}


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({"README.md": "hello"}, set()),
        ({"works/dev.yaml": work("dev", {"x.yaml": configmap("x")}, env="dev")}, {"dev"}),
        ({"works/dev.yaml": None}, {"dev"}),
        ({"works/dev.yaml": UNREADABLE}, {"dev"}),
        ({"works/both.yaml": UNREADABLE}, {"one", "two"}),
        ({"works/new.yaml": work("new", env="dev", promise="new")}, {"new"}),
        ({"works/new.yaml": work("new", env="dev")}, {"new", "dev"}),  # in the same directory
        ({"works/new.yaml": UNREADABLE}, set()),
        ({"works/new.yaml": work("new", {"flat.yaml": configmap("new")}, env="flat")}, {"new", "flat"}),
        ({"works/new.yaml": work("new", {"flat.yaml": configmap("new")}, env="side")}, {"new", "side"}),
        ({"works/new.yaml": work("new", env="all")}, {"new", "one", "two"}),
        ({"works/new.yaml": work("new", groups=RIVALS)}, {"new", "flat", "half"}),
    ],
)
def test_a_definition_of_a_work_concerns_it_and_its_rivals(platform, daemon, change, works):
    platform.commit(change)
    assert looked_at(daemon) == works


def test_an_unreadable_file_concerns_works_only_when_it_changes(platform, daemon):
    platform.commit({"works/dev.yaml": UNREADABLE})
    daemon.reconcile()
    assert looked_at(daemon) == set()
    platform.commit({"works/prod.yaml": work("prod", {"x.yaml": configmap("x")}, env="prod")})
    assert looked_at(daemon) == {"prod"}
    platform.commit({"works/dev.yaml": BASE["works/dev.yaml"]})
    assert looked_at(daemon) == {"prod", "dev"}


@pytest.mark.parametrize("changed", [[work("one", env="flat")], UNREADABLE, None])
def test_a_file_is_read_once_in_a_pass_however_many_works_stand_in_it(platform, monkeypatch, changed):
    file, read, reads = "works/both.yaml", yaml.read, Counter()
    monkeypatch.setattr(yaml, "read", lambda raw, *limits: reads.update([raw]) or read(raw, *limits))
    platform.commit(BASE)
    platform.reconcile()
    for content in (changed, BASE[file]):
        platform.commit({file: content})
        reads.clear()
        platform.reconcile()
        assert max(reads.values()) == 1


@pytest.mark.parametrize("name", ["dev", "flat", "all", "later"])
def test_no_pack_is_opened_anew_for_documents_that_never_stood_as_a_directory(platform, daemon, monkeypatch, name):
    platform.commit({"works/rival.yaml": work("rival", {"dev.yaml": configmap("rival")}, env="dev")})
    daemon.reconcile()
    mode = {"flat": "none", "all": "aggregatedYAML"}.get(name, "nestedByMetadata")
    platform.commit({f"destinations/{name}.yaml": destination(name, env=name, mode=mode, more="labels")})
    monkeypatch.setattr(Stored, "_look_again", lambda objects: pytest.fail("opened anew"))
    assert looked_at(daemon)


@pytest.mark.parametrize("change", [{"works/dev.yaml": "a: {"}, {"works/dev.yaml": None}, {"works/dev.yaml": "a: 1"}])
def test_what_an_unreadable_file_held_is_looked_at_when_the_file_changes(platform, daemon, change):
    platform.commit({"works/dev.yaml": UNREADABLE})
    daemon.reconcile()
    platform.commit(change)
    assert looked_at(daemon) == {"dev"}


def test_a_file_that_comes_back_unreadable_concerns_what_it_held_when_it_went(platform, daemon):
    platform.commit({"works/dev.yaml": None, "works/new.yaml": UNREADABLE})
    daemon.reconcile()
    platform.commit({"works/dev.yaml": UNREADABLE})
    assert looked_at(daemon) == {"dev"}


def test_a_work_that_was_never_good_is_looked_at_when_its_definition_changes(platform, daemon):
    wrong = work("wrong", env="dev")
    wrong["spec"]["promisName"] = "x"
    platform.commit({"works/wrong.yaml": wrong})
    daemon.reconcile()
    assert looked_at(daemon) == set()
    platform.commit({"works/wrong.yaml": work("wrong", env="dev", promise="right")})
    assert looked_at(daemon) == {"wrong"}


def test_a_work_that_is_held_back_is_looked_at_when_it_changes(platform, daemon):
    platform.commit({"works/wrong.yaml": work("wrong", {"x.yaml": "a: 1"}, env="side")})
    daemon.reconcile()
    assert platform.condition("works/default/wrong/wrong.side-5058f.yaml")[1] == "InvalidDocument"
    assert looked_at(daemon) == set()


def test_a_work_that_only_status_knows_is_looked_at_each_time(platform):
    """Nothing leads to its documents where its Destination is gone too, and it tells when they are not as they were."""
    platform.commit(BASE)
    platform.reconcile()
    files = platform.files()
    platform.move(None)
    platform.commit(files | {"works/prod.yaml": UNREADABLE, "works/wrong.yaml": UNREADABLE}, "Begin anew")
    daemon = platform.reconciler()
    daemon.reconcile()
    assert looked_at(daemon) == {"prod"}


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({"destinations/dev.yaml": destination("dev", env="new")}, {"dev", "asked"}),
        ({"destinations/dev.yaml": destination("dev", env="dev", path="elsewhere")}, {"dev", "asked"}),
        ({"destinations/dev.yaml": None}, {"dev", "asked"}),
        ({"destinations/prod.yaml": None}, {"prod"}),
        ({"destinations/new.yaml": destination("new", env="dev")}, {"dev"}),
        ({"destinations/new.yaml": destination("new", env="nowhere")}, {"nowhere"}),
        ({"destinations/new.yaml": destination("new", env="later")}, {"half", "later"}),
        ({"destinations/new.yaml": destination("new", env="new")}, set()),
        ({"statestores/side.yaml": store("side", "elsewhere")}, {"side"}),
        ({"statestores/side.yaml": None}, {"side"}),
        ({"statestores/new.yaml": store("new", "new")}, set()),
    ],
)
def test_a_destination_concerns_the_works_that_are_there_or_come_there(platform, daemon, change, works):
    platform.commit(change)
    assert looked_at(daemon) == works


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({"status/works/default/dev/work.yaml": None}, set()),  # what the daemon said there counts
        ({DOCUMENT: "a: 1"}, {"dev"}),
        ({DOCUMENT: None}, {"dev"}),
        ({f"{DOCUMENT}.txt": "mine"}, {"dev"}),
        ({"state/dev/dependencies/mine.yaml": "a: 1"}, set()),
        ({"state/flat/flat.yaml": "a: 1"}, {"flat"}),
        ({"state/flat/mine.yaml": "a: 1"}, set()),
        ({"state/all/aggregated.yaml": None}, {"one", "two"}),
    ],
)
def test_what_others_write_concerns_the_works_that_it_is_of(platform, daemon, change, works):
    platform.commit(change, by=BOB)
    assert looked_at(daemon) == works


def test_what_another_daemon_did_is_looked_at(platform, daemon):
    platform.commit({DOCUMENT: "a: 1"}, by=BOB)
    platform.reconcile()
    assert looked_at(daemon) == {"dev"}


@pytest.mark.parametrize(
    ("file", "field", "value", "works"),
    [
        ("works/default/dev/work.yaml", "source", "works/x.yaml", {"dev"}),
        ("works/default/dev/dev.dev-5058f.yaml", "versionID", "", {"dev"}),
        ("destinations/all.yaml", "parts", {"default/one.all-5058f": 1}, {"one", "two"}),
        ("destinations/all.yaml", "observedCommit", "", set()),
    ],
)
def test_what_somebody_tells_as_if_he_were_another_daemon_is_looked_at(platform, daemon, file, field, value, works):
    status, told = platform.status(file), platform.log()[0].message
    assert field in status["status"]
    status["status"][field] = value
    platform.commit({f"status/{file}": status}, told, DAEMON)
    assert looked_at(daemon) == works


def test_what_others_write_in_another_branch_concerns_the_works_there(platform, daemon):
    (document,) = [path for path in platform.files(at="documents") if path.endswith("side.yaml")]
    platform.commit({document: "a: 1"}, by=BOB, branch="documents")
    assert looked_at(daemon) == {"side"}


def test_a_branch_that_lost_what_was_left_on_it_concerns_all_that_have_documents_there(platform, daemon):
    before = platform.log("documents")[0].parents
    platform.move(str(before[0].id) if before else None, "documents")
    assert looked_at(daemon) == {"side"}


def test_nobody_is_concerned_who_has_his_documents_on_another_branch(platform):
    platform.commit(BASE | {"gitops.yaml": {"output": {"branch": "out"}}})
    daemon = platform.reconciler()
    daemon.reconcile()
    before = platform.tip("out")
    platform.commit({"works/new.yaml": work("new", env="flat")})
    daemon.reconcile()
    platform.move(before, "out")
    assert looked_at(daemon) == {"dev", "asked", "half", "flat", "new", "prod", "one", "two"}


def test_so_does_a_branch_of_which_the_destination_that_left_documents_there_is_removed(platform, daemon):
    kept = destination("side", env="side", store="side", cleanup="none")
    platform.commit({"destinations/side.yaml": kept})
    daemon.reconcile()
    platform.commit({"destinations/side.yaml": None})
    daemon.reconcile()
    assert looked_at(daemon) == set()
    platform.move(str(platform.log("documents")[0].parents[0].id), "documents")
    assert looked_at(daemon) == {"side"}


def test_a_branch_that_takes_documents_again_concerns_all_that_should_be_there(platform, monkeypatch):
    platform.commit(BASE)
    daemon = platform.reconciler()
    with monkeypatch.context() as patch:
        real = refs.move

        def move(repo, branch, *arguments):
            if branch == "documents":
                raise RepositoryError("no space left")
            real(repo, branch, *arguments)

        patch.setattr(refs, "move", move)
        daemon.reconcile()
    assert looked_at(daemon) == {"side"}


def steady(daemon):
    """The places that its next pass takes for what the last one left there, with the files in them."""
    made = daemon.plan().plan.delivery.placements
    return {
        placed.place: {path: oid.hex() for path, oid in placed.inventory.items()} for placed in made if placed.steady
    }


@pytest.mark.parametrize("elsewhere", [{}, {"state/prod/mine.yaml": "a: 1"}, {"works/prod.yaml": None}])
def test_of_a_work_that_comes_to_a_new_destination_the_others_stand_as_they_were(platform, daemon, elsewhere):
    platform.commit({"destinations/new.yaml": destination("new", env="dev"), **elsewhere}, by=BOB)
    assert steady(daemon) == {DOCUMENT.removesuffix("/dev.yaml"): platform.blobs(DOCUMENT)}


@pytest.mark.parametrize("document", ["a: 1", None])
def test_what_others_changed_does_not_stand_as_it_was(platform, daemon, document):
    platform.commit({"destinations/new.yaml": destination("new", env="dev"), DOCUMENT: document}, by=BOB)
    assert steady(daemon) == {}


def test_what_another_daemon_changed_does_not_stand_as_it_was_either(platform, daemon):
    told = f"update(default/dev): dev (+0 ~1 -0)\n\nGitops-Work: default/dev\nGitops-Source-Commit: {platform.tip()}\n"
    platform.commit({DOCUMENT: "a: 1"}, told)
    assert looked_at(daemon) == {"dev"}
    platform.commit({"destinations/new.yaml": destination("new", env="dev")})
    assert steady(daemon) == {}
