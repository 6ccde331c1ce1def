"""The history: one documents commit for each changed Work, the status on top, and trailers that git finds again."""

import pytest
from support.definitions import configmap, destination, group, selector, store, work
from support.platform import BOB, Person

P = "works/default/r/r.dev-5058f.yaml"
DEV = {"destinations/dev.yaml": destination("dev", env="dev")}


def requests(count, text="a", namespace="default"):
    return {
        f"works/w{n:03}.yaml": work(
            f"w{n:03}", {"x.yaml": configmap(f"w{n:03}", text)}, request=f"w{n}", namespace=namespace, env="dev"
        )
        for n in range(count)
    }


def new_commits(platform, since):
    """Oldest first."""
    return list(reversed(platform.log(until=since)))


def is_documents(commit):
    return not commit.message.startswith("status: ")


def trailers(platform, commit, key):
    return platform.git("log", "-1", f"--format=%(trailers:key={key},valueonly)", str(commit.id)).split("\n")[:-2]


# what a pass leaves


def test_documents_first_and_the_status_on_top(platform):
    since = platform.commit({**DEV, **requests(3)})
    platform.reconcile()
    made = new_commits(platform, since)

    assert [c.message.partition("\n")[0] for c in made] == [
        "destination(dev): own documents (+2 ~0 -0)",
        "place(default/w000): dev (+1 ~0 -0)",
        "place(default/w001): dev (+1 ~0 -0)",
        "place(default/w002): dev (+1 ~0 -0)",
        "status: 3 Works, 3 Ready (10 events)",
    ]
    assert [len(c.parents) for c in made] == [1] * 5
    for commit in made[:-1]:
        assert platform.blobs("status/", at=str(commit.id)) == {}
    assert platform.blobs("state/", at=str(made[-2].id)) == platform.blobs("state/")


def test_nobody_sees_ready_before_the_documents_nor_one_without_the_other(platform):
    """The branch moves once: its reflog has one entry for the pass."""
    platform.git("config", "core.logAllRefUpdates", "always")
    since = platform.commit({**DEV, **requests(2)})
    platform.reconcile()
    entries = platform.git("reflog", "--format=%H", "main").split()

    assert entries[0] == platform.tip()
    assert entries[1] == since


def test_the_version_is_the_commit_that_last_changed_the_documents(platform):
    platform.commit({**DEV, **requests(2)})
    platform.reconcile()
    first = platform.status("works/default/w000/w000.dev-5058f.yaml")["status"]["versionID"]
    platform.commit({"works/w001.yaml": requests(2, "b")["works/w001.yaml"]})
    platform.reconcile()

    assert platform.status("works/default/w000/w000.dev-5058f.yaml")["status"]["versionID"] == first
    changed = platform.status("works/default/w001/w001.dev-5058f.yaml")["status"]
    assert platform.repo[changed["versionID"]].message.startswith("update(default/w001): dev (+0 ~1 -0)")
    for path in changed["inventory"]:
        assert platform.git("log", "-1", "--format=%H", "--", path).strip() == changed["versionID"]


def test_what_changes_no_document_changes_no_version(platform):
    platform.commit({**DEV, **requests(1)})
    platform.reconcile()
    version = platform.status("works/default/w000/w000.dev-5058f.yaml")["status"]["versionID"]
    changed = requests(1)["works/w000.yaml"]
    changed["metadata"]["labels"]["team"] = "a"
    platform.commit({"works/w000.yaml": changed})
    platform.reconcile()

    assert platform.status("works/default/w000/w000.dev-5058f.yaml")["status"]["versionID"] == version
    assert not any(is_documents(c) for c in platform.log()[:1])


def test_nothing_changed_is_no_commit_whatever_the_clock_says(platform):
    platform.commit({**DEV, **requests(2)})
    platform.reconcile()
    tip = platform.tip()
    for _ in range(10):
        platform.clock.advance(86_400)
        assert platform.reconcile()[0].commits == ()
        assert platform.reconciler().reconcile()[0].commits == ()

    assert platform.tip() == tip


def test_without_definitions_there_is_no_commit(platform):
    assert platform.reconcile()[0].commits == ()
    platform.commit({"README.md": "mine"})
    assert platform.reconcile()[0].commits == ()
    assert platform.files() == {"README.md": b"mine"}


def test_the_last_definition_that_goes_takes_all_but_the_overview_with_it(platform):
    platform.commit({**DEV, **requests(1)})
    platform.reconcile()
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", cleanup="all")})
    platform.reconcile()
    platform.remove("works", "destinations")
    platform.reconcile()

    assert platform.files().keys() == {"status/README.md"}


def test_the_last_work_that_goes_takes_its_status_with_it(platform):
    platform.commit(requests(1))
    platform.reconcile()
    assert platform.files("status/works/")
    platform.remove("works")
    platform.reconcile()

    assert platform.files().keys() == {"status/README.md"}


# granularity


@pytest.mark.parametrize(
    ("setting", "count", "commits"),
    [("auto", 50, 51), ("auto", 51, 1), ("work", 51, 52), ("pass", 3, 1)],
    ids=["auto up to 50", "auto above 50", "work", "pass"],
)
def test_one_commit_for_each_changed_work_or_one_for_all(platform, setting, count, commits):
    since = platform.commit({"gitops.yaml": f"commit: {{granularity: {setting}}}\n", **DEV, **requests(count)})
    platform.reconcile()
    made = [c for c in new_commits(platform, since) if is_documents(c)]

    assert len(made) == commits
    assert len(platform.files("state/dev/resources/default")) == count
    if commits == 1:
        assert made[0].message.startswith(f"place({count} Works): dev (+{count + 2} ~0 -0)")
        assert len(trailers(platform, made[0], "Gitops-Work")) == count
    tip = platform.tip()
    platform.reconciler().reconcile()
    assert platform.tip() == tip


def test_one_commit_for_all_is_none_where_there_is_nothing_to_write(platform):
    settings = "commit: {granularity: pass}\noutput: {branch: out}\n"
    platform.commit({"gitops.yaml": settings, "works/r.yaml": work("r", env="dev")})
    platform.reconcile()

    assert platform.subjects("out") == ["status: 1 Work, 1 Pending (1 event)"]


@pytest.mark.parametrize(("count", "commits"), [(50, 50), (51, 1)])
def test_the_bound_is_fifty_changed_works(platform, count, commits):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), **requests(count)})
    platform.reconcile()
    since = platform.commit(requests(count, "new"))
    platform.reconcile()

    assert sum(is_documents(c) for c in new_commits(platform, since)) == commits


@pytest.mark.parametrize(("setting", "commits"), [("auto", 1), ("work", 2)])
def test_only_changed_works_count_as_many(platform, monkeypatch, setting, commits):
    monkeypatch.setattr("gitops.publish.MANY", 1)
    settings = {"gitops.yaml": f"commit: {{granularity: {setting}}}\n"}
    since = platform.commit({**settings, "destinations/dev.yaml": destination("dev", env="dev"), **requests(1)})
    platform.reconcile()
    assert sum(is_documents(c) for c in new_commits(platform, since)) == 2  # the Work, and the canary documents

    since = platform.commit(requests(2, "new"))
    platform.reconcile()
    assert sum(is_documents(c) for c in new_commits(platform, since)) == commits


def test_k16_many_changed_works_are_one_documents_commit(platform):
    since = platform.commit({**DEV, **requests(200)})
    platform.reconcile()

    assert sum(is_documents(c) for c in new_commits(platform, since)) == 1


def test_each_store_has_a_commit_of_its_own(platform):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            "destinations/a.yaml": destination("a", env="dev"),
            "destinations/b.yaml": destination("b", env="dev", store="s"),
            "works/r.yaml": work("r", env="dev"),
        }
    )
    platform.reconcile()

    assert [c.message.partition(":")[0] for c in platform.log() if c.message.startswith("place")] == [
        "place(default/r)"
    ]
    assert [c.message.partition(":")[0] for c in platform.log("deploy") if c.message.startswith("place")] == [
        "place(default/r)"
    ]
    versions = {n: platform.status(f"works/default/r/r.{n}-5058f.yaml")["status"]["versionID"] for n in "ab"}
    assert versions["b"] == platform.tip("deploy")
    assert versions["a"] != versions["b"]


# subjects and trailers


def test_the_verbs_of_a_placements_life(platform):
    def last_documents():
        return next(
            c.message.partition("\n")[0]
            for c in platform.log()
            if is_documents(c) and not c.message.startswith(("Edit", "Remove"))
        )

    platform.commit({**DEV, "works/r.yaml": work("r", {"x.txt": "x", "y.txt": "y"}, request="r", env="dev")})
    platform.reconcile()
    assert last_documents() == "place(default/r): dev (+2 ~0 -0)"
    platform.commit({"works/r.yaml": work("r", {"x.txt": "new", "z.txt": "z"}, request="r", env="dev")})
    platform.reconcile()
    assert last_documents() == "update(default/r): dev (+1 ~1 -1)"
    platform.commit({"destinations/dev.yaml": destination("dev", path="elsewhere", env="dev")})
    platform.reconcile()
    assert last_documents() == "move(dev): dev (+4 ~0 -4)"
    platform.remove("works/r.yaml")
    platform.reconcile()
    assert last_documents() == "withdraw(default/r): dev (+0 ~0 -2)"


def test_a_documents_commit_names_work_destination_path_and_source(platform):
    source = platform.commit(
        {**DEV, "works/r.yaml": work("r", request="small", env="dev")}, "Add redis\n\nbecause we want it", by=BOB
    )
    platform.reconcile()
    made = platform.log()[1]

    assert trailers(platform, made, "Gitops-Work") == ["default/r"]
    assert trailers(platform, made, "Gitops-Destination") == ["dev"]
    assert trailers(platform, made, "Gitops-Path") == [
        "state/dev/resources/default/redis/small/instance-configure/5058f"
    ]
    assert trailers(platform, made, "Gitops-Source-Commit") == [source]
    assert trailers(platform, made, "Argocd-reference-commit-sha") == [source]
    assert trailers(platform, made, "Argocd-reference-commit-author") == ["Bob Babbage <bob@example.org>"]
    assert trailers(platform, made, "Argocd-reference-commit-subject") == ["Add redis"]
    assert trailers(platform, made, "Argocd-reference-commit-date") == ["2026-01-01T00:00:00Z"]


def test_a_documents_commit_says_why(platform):
    def why(subject):
        return next(c.message.split("\n")[2] for c in platform.log() if c.message.startswith(subject))

    first = platform.commit({**DEV, "works/r.yaml": work("r", request="r", env="dev")})
    platform.reconcile()
    assert why("place(default/r)") == f"Its selectors (env=dev) match dev; source commit {first[:7]}."
    assert why("destination(dev)") == f"Documents of the Destination itself; source commit {first[:7]}."

    groups = [group({f"{name}.txt": name}, selector(**{name: "x"}), id=name) for name in "dba"]
    own = destination("own", d="x", b="x")
    second = platform.commit({"destinations/own.yaml": own, "works/three.yaml": work("three", groups=groups)})
    platform.reconcile()
    assert why("place(default/three)") == f"Its selectors (d=x; b=x) match own; source commit {second[:7]}."

    all_at_once = {"gitops.yaml": "commit: {granularity: pass}\n", **requests(2)}
    third = platform.commit(all_at_once, "Bring two Works")
    platform.reconcile()
    assert why("place(2 Works)") == f"All changes of one pass: source commit {third[:7]}, Bring two Works"


@pytest.mark.parametrize(
    ("mode", "documents", "place"),
    [
        ("", ["x.yaml"], "state/dev/dependencies/redis/instance-configure/5058f"),
        ("", ["a/b/x.yaml"], "state/dev/dependencies/redis/instance-configure/5058f"),
        ("", ["5058f/x.yaml", "5058f/y.yaml"], "state/dev/dependencies/redis/instance-configure/5058f"),
        ("", ["5058f/5058f/x.yaml"], "state/dev/dependencies/redis/instance-configure/5058f"),
        ("none", ["x.yaml"], "state/dev"),
        ("none", ["a/b/x.yaml", "a/c/y.yaml"], "state/dev/a"),
        ("none", ["5058fa/x.yaml"], "state/dev/5058fa"),
    ],
)
def test_a_withdrawal_names_the_place_from_which_the_documents_went(platform, mode, documents, place):
    contents = {path: configmap(f"n{number}") for number, path in enumerate(documents)}
    platform.commit({"destinations/dev.yaml": destination("dev", mode=mode, env="dev")})
    platform.commit({"works/r.yaml": work("r-1", contents, env="dev")})
    platform.reconcile()
    platform.remove("works/r.yaml")
    platform.reconcile()

    (commit,) = [c for c in platform.log() if c.message.startswith("withdraw(default/r-1)")]
    assert trailers(platform, commit, "Gitops-Path") == [place]


def test_the_source_is_the_newest_commit_of_people(platform):
    platform.commit({**DEV, "works/r.yaml": work("r", request="small", env="dev")})
    platform.reconcile()
    source = platform.commit({"works/r.yaml": work("r", {"y.yaml": configmap("y")}, request="small", env="dev")})
    platform.reconcile()

    assert {t for c in platform.log()[:2] for t in trailers(platform, c, "Gitops-Source-Commit")} == {source}


def test_the_log_is_the_history_of_events(platform):
    platform.commit({**DEV, "works/r.yaml": work("r", request="r", env="dev")})
    platform.reconcile()
    platform.commit({"destinations/dev.yaml": destination("dev", env="qa")})
    platform.reconcile()

    logged = platform.git("log", "--reverse", "--format=%(trailers:key=Gitops-Event,valueonly)").split("\n")
    assert [line for line in logged if "r.dev" in line] == [
        "Normal WorkloadsWrittenToStateStore WorkPlacement/default/r.dev-5058f",
        "Warning DestinationSelectorMismatch WorkPlacement/default/r.dev-5058f",
    ]
    found = platform.git("log", "--format=%s", "--grep=^Gitops-Work: default/r$").split("\n")[:-1]
    assert found == [
        "status: 1 Work, 1 Misplaced (2 events)",
        "status: 1 Work, 1 Ready (4 events)",
        "place(default/r): dev (+1 ~0 -0)",
    ]
    assert platform.git("log", "--format=%s", "--", "state/dev/resources/default").split("\n")[:-1] == [
        "place(default/r): dev (+1 ~0 -0)"
    ]
    assert platform.git("log", "--format=%s", "--", "status/works/default/r").split("\n")[:-1] == found[:2]


def test_a_status_commit_names_events_and_versions_in_the_order_of_the_works(platform):
    platform.commit({**DEV, **requests(2)})
    platform.reconcile()
    written = [line for line in trailers(platform, platform.log()[0], "Gitops-Event") if "WrittenToStateStore" in line]
    assert [line.rpartition("/")[2] for line in written] == ["w000.dev-5058f", "w001.dev-5058f"]
    versions = {
        f"default/{n}.dev-5058f": platform.status(f"works/default/{n}/{n}.dev-5058f.yaml")["status"]["versionID"]
        for n in ("w000", "w001")
    }

    assert trailers(platform, platform.log()[0], "Gitops-Version") == [
        f"{name} {sha}" for name, sha in versions.items()
    ]


HOSTILE = [
    "[skip ci]\n\n[skip ci]",
    "x\n\n---\nGitops-Event: Normal Forged Work/x",
    "Signed-off-by: Mallory <m@example.org>",
    "\x1b[31m\u202e",
    "x" * 5000,
]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_people_write_forges_and_breaks_no_trailer(platform, value):
    source = platform.commit(
        {
            **DEV,
            "works/r.yaml": work("r", {"x.yaml": "kind: X\n", value[:90]: "x"}, request="r", env="dev"),
            "works/x.yaml": f"kind: [ # {value}",
        },
        value,
        Person("Mallory\u202e", "m@example.org"),
    )
    platform.reconcile()

    for commit in new_commits(platform, source):
        found = platform.git("interpret-trailers", "--parse", given=commit.message).splitlines()
        keys = [line.partition(":")[0] for line in found]
        assert keys[:1] == ["Gitops-Event"] if not is_documents(commit) else ["Gitops-Destination"]
        assert f"Gitops-Source-Commit: {source}" in found
        assert not {"Signed-off-by"} & set(keys)
        assert not any("Forged" in line for line in found if line.startswith("Gitops-"))
        assert len(commit.message.partition("\n")[0]) <= 72
        assert commit.message.isprintable() or set(commit.message) - {"\n"} == {
            c for c in commit.message if c.isprintable()
        }


def test_author_and_committer_are_the_daemon_or_who_the_settings_say(platform):
    platform.commit(DEV)
    platform.reconcile()
    assert {(c.author.name, c.author.email, c.committer.name) for c in platform.log()[:2]} == {
        ("gitops", "gitops@localhost", "gitops")
    }

    platform.commit(
        {"gitops.yaml": "commit: {author: Robot <robot@example.org>}\n", "works/r.yaml": work("r", env="dev")}
    )
    platform.reconcile()
    assert {(c.author.name, c.author.email, c.committer.email) for c in platform.log()[:2]} == {
        ("Robot", "robot@example.org", "robot@example.org")
    }


def test_commits_are_dated_by_the_clock_of_the_pass(platform):
    platform.commit(DEV)
    platform.clock.advance(3600)
    platform.reconcile()

    assert {c.commit_time for c in platform.log()[:2]} == {int(platform.clock.now.timestamp())}
    assert (
        platform.status("destinations/dev.yaml")["status"]["conditions"][0]["lastTransitionTime"]
        == "2026-01-01T01:00:00Z"
    )


def test_every_object_that_was_written_is_sound(platform):
    platform.commit({**DEV, **requests(60)})
    platform.reconcile()
    platform.commit(requests(10, "new"))
    platform.reconcile()

    assert platform.git("fsck", "--strict", "--full", "--no-dangling") == ""
