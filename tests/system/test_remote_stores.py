"""State stores in other repositories, behind real servers: what arrives there, and what is said when it does not."""

import json
import shutil
from threading import Event

import pytest
from support.definitions import configmap, destination, work
from support.platform import ADA, Platform
from support.servers import HOST, KINDS, PASSWORD, Silent, hook, until

from gitops.branches import Branches
from gitops.core.render import render
from gitops.errors import TransportError
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.git.transport import Patience
from gitops.reconciler import Reconciler
from gitops.secrets import Secrets
from gitops.stores import Stores

P, W, S = "works/default/r/r.dev-5058f.yaml", "works/default/r/work.yaml", "statestores/GitStateStore/s.yaml"
D = "destinations/dev.yaml"
DOCUMENT = "clusters/dev/resources/default/redis/r/instance-configure/5058f/r.yaml"


def git_store(url, name="s", kind="file", **spec):
    method = {"ssh": "ssh"}.get(kind, "basicAuth")
    ref = {"secretRef": {"name": "fleet"}} if kind in ("http", "https", "ssh") else {}
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "GitStateStore",
        "metadata": {"name": name},
        "spec": {"url": url, "path": "clusters", "authMethod": method, **ref, **spec},
    }


def delivered(store="s"):
    """A Destination in a store, and a Work for it."""
    return {
        "destinations/dev.yaml": destination("dev", store=store, env="dev"),
        "works/r.yaml": work("r", request="r", env="dev"),
    }


class Fleet:
    """A platform on this machine, and the repository of its state store on a server."""

    def __init__(self, platform, command, servers):
        self.platform, self.command, self.servers = platform, command, servers
        servers.make("fleet")
        self.there = Platform(servers.path("fleet"), platform.clock)

    def begin(self, kind="file", **spec):
        url = self.servers.url(kind, "fleet")
        self.command.secret("fleet", self.servers.secret(kind))
        self.platform.commit({"statestores/s.yaml": git_store(url, kind=kind, **spec), **delivered()})

    def again(self):
        """Make the server's repository anew."""
        self.servers.make("fleet")
        self.there = Platform(self.servers.path("fleet"), self.platform.clock)

    def once(self):
        return self.command.once(self.platform.path)

    def settle(self):
        return self.command.settle(self.platform.path)

    def is_ready(self):
        return {self.platform.condition(file)[0] for file in (P, W, D, S)} == {"True"}

    def failed(self, reason, cause, step="unable to clone repository: "):
        """The cause stands at every level, in Kratix's words."""
        status = self.platform.condition
        told = f"GitStateStore/s: {cause}"
        assert status(S) == ("False", reason, f"{step}{cause}")
        refused = ("StateStoreWriteFailed", f"Failed to write test documents to State Store: {told}")
        away = ("StateStoreNotReady", f"GitStateStore/s: not ready: {cause}")
        assert status(D) == ("False", *(refused if reason == "ErrorValidatingPermissions" else away))
        assert status(P, "WriteSucceeded") == ("False", "WorkloadsFailedWrite", told)
        assert status(W)[:2] == ("False", "WorkplacementsFailing")
        assert self.platform.status(S)["status"]["status"] == "NotReady"


@pytest.fixture
def fleet(platform, command, servers):
    return Fleet(platform, command, servers)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_go_to_the_store_and_their_status_to_the_platform(fleet, kind):
    fleet.begin(kind, branch="deploy", gitAuthor={"name": "Fleet", "email": "fleet@example.org"})
    fleet.settle()

    assert DOCUMENT in fleet.there.files(at="deploy")
    assert not fleet.platform.files("state/")
    assert fleet.is_ready()
    assert fleet.platform.status(P)["status"]["versionID"] == fleet.there.tip("deploy")
    assert {(c.author.name, c.committer.email) for c in fleet.there.log("deploy")} == {("Fleet", "fleet@example.org")}
    fleet.there.git("fsck", "--strict")

    fleet.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})
    fleet.settle()
    assert b"new" in fleet.there.files(at="deploy")[DOCUMENT]
    assert fleet.platform.status(P)["status"]["versionID"] == fleet.there.tip("deploy")
    assert not fleet.there.git("for-each-ref", "refs/gitops")


def test_a_removed_work_leaves_the_store_too(fleet):
    fleet.begin()
    fleet.settle()
    fleet.platform.remove("works/r.yaml")
    fleet.settle()

    assert DOCUMENT not in fleet.there.files()


def test_drift_in_the_store_is_put_back_and_names_who_it_was(fleet):
    fleet.begin()
    fleet.settle()
    fleet.there.commit({DOCUMENT: "mine", "README.md": "theirs"}, by=ADA)
    short = fleet.there.tip()[:7]
    fleet.settle()

    assert fleet.there.files()[DOCUMENT] != b"mine"
    assert fleet.there.files()["README.md"] == b"theirs"
    told = [e for e in fleet.platform.events(P) if e.startswith("DriftCorrected")]
    assert told == [f"DriftCorrected: 1 files changed outside gitops in {short} by Ada Lovelace were restored"]


@pytest.mark.parametrize("how", ["rewound", "emptied", "deleted branch", "made again"])
def test_a_store_that_lost_its_documents_gets_them_again(fleet, how):
    fleet.there.commit({"README.md": "first"})
    first = fleet.there.tip()
    fleet.begin()
    fleet.settle()
    before = fleet.there.files("clusters/")
    if how == "rewound":
        fleet.there.move(first)
    elif how == "emptied":
        fleet.there.remove("clusters")
    elif how == "deleted branch":
        fleet.there.move(None)
    else:
        fleet.again()
    fleet.settle()

    assert fleet.there.files("clusters/") == before
    assert fleet.is_ready()
    assert fleet.platform.status(P)["status"]["versionID"] in {str(c.id) for c in fleet.there.log()}


def test_a_store_that_refuses_says_so_in_its_own_words_everywhere_and_others_go_on(fleet):
    fleet.begin("http")
    hook(fleet.servers.path("fleet"), "pre-receive", "echo 'ticket 4711: the freeze is on' >&2; exit 1")
    fleet.platform.commit(
        {
            "destinations/prod.yaml": destination("prod", env="prod"),
            "works/t.yaml": work("t", {"t.yaml": configmap("t")}, request="t", env="prod"),
        }
    )
    fleet.settle()

    words = "pre-receive hook declined: ticket 4711: the freeze is on"
    step = "Error validating state store permissions: write permission validation failed: "
    fleet.failed("ErrorValidatingPermissions", words, step)
    assert fleet.platform.condition("works/default/t/t.prod-5058f.yaml")[0] == "True"
    assert "versionID" not in fleet.platform.status(P)["status"]

    hook(fleet.servers.path("fleet"), "pre-receive", "exit 0")
    fleet.settle()
    assert fleet.is_ready()
    assert DOCUMENT in fleet.there.files()


def test_a_store_without_destinations_is_asked_whether_it_may_be_written(fleet):
    hook(fleet.servers.path("fleet"), "pre-receive", "exit 1")
    fleet.platform.commit({"statestores/s.yaml": git_store(fleet.servers.url("file", "fleet"))})
    fleet.settle()
    assert fleet.platform.condition(S)[:2] == ("False", "ErrorValidatingPermissions")

    hook(fleet.servers.path("fleet"), "pre-receive", "exit 0")
    fleet.settle()
    assert fleet.platform.condition(S) == ("True", "StateStoreReady", "State store is ready")
    assert not fleet.there.git("for-each-ref")


def test_a_plan_asks_no_server_whether_it_may_be_written(fleet):
    """That is to push there, and needs objects of ours: a plan writes nothing, neither there nor here."""
    hook(fleet.servers.path("fleet"), "pre-receive", "touch asked")
    fleet.platform.commit({"statestores/s.yaml": git_store(fleet.servers.url("file", "fleet"))})
    assert fleet.command("--repo", fleet.platform.path, "plan").code == 0
    assert fleet.command("--repo", fleet.platform.path, "explain", "work", "none").code == 1
    assert not (fleet.servers.path("fleet") / "asked").exists()
    assert not list((fleet.platform.path / "objects" / "pack").iterdir())


def test_a_secret_that_is_not_there_is_named_and_counts_once_it_comes(fleet):
    fleet.begin("http")
    shutil.rmtree(fleet.command.secrets / "default")
    fleet.settle()
    fleet.failed("SecretNotFound", "Secret fleet not found in namespace default", step="")

    fleet.command.secret("fleet", fleet.servers.secret("http"))
    fleet.settle()
    assert fleet.is_ready()
    assert [e.split(":")[0] for e in fleet.platform.events(S)] == ["NotReady", "Ready"]


def test_a_wrong_password_shows_nowhere_and_the_right_one_recovers(fleet):
    fleet.begin("https")
    fleet.command.secret("fleet", {"password": "canary-wrong-91c2"})
    done = fleet.settle()
    fleet.failed("ErrorInitialisingWriter", "it does not accept the credentials, or asks for some and none are given")

    fleet.command.secret("fleet", {"password": PASSWORD})
    done += fleet.settle()
    assert fleet.is_ready()
    for secret in ("canary-wrong-91c2", PASSWORD):
        assert secret not in done
        for commit in fleet.platform.log() + fleet.there.log():
            assert secret not in commit.message
        everything = fleet.platform.files() | fleet.there.files()
        assert not [path for path, raw in everything.items() if secret.encode() in raw]


def test_a_certificate_that_nobody_vouches_for_is_refused(fleet):
    fleet.begin("https")
    (fleet.command.secrets / "default/fleet/ca.crt").unlink()
    fleet.settle()

    assert "its TLS certificate is not trusted" in fleet.platform.condition(S)[2]


def test_a_secret_is_bound_to_its_address(fleet):
    fleet.begin("http")
    fleet.command.secret("fleet", {"url": "https://git.example.org/"})
    fleet.settle()

    assert "its key url does not allow the address" in fleet.platform.condition(S)[2]
    assert not fleet.there.tip()


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "HTTP 403"), (404, "there is no repository at that address"), (500, "it failed by itself (HTTP 500)")],
)
def test_what_a_web_server_answers_becomes_a_cause_that_stays_the_same(fleet, status, said):
    port = fleet.servers.web_ports[0]
    fleet.platform.commit(
        {"statestores/s.yaml": git_store(f"http://{HOST}:{port}/status/{status}/fleet.git"), **delivered()}
    )
    fleet.settle()

    assert said in fleet.platform.condition(S)[2]
    assert fleet.platform.condition(P, "WriteSucceeded")[0] == "False"


def test_a_store_that_goes_away_is_not_ready_with_all_that_is_on_it_and_comes_back(fleet):
    fleet.begin()
    fleet.settle()
    version = fleet.platform.status(P)["status"]["versionID"]
    away = fleet.servers.path("fleet").rename(fleet.servers.root / "away")
    fleet.settle()
    cause = "there is no repository at that address, or these credentials do not show it"
    fleet.failed("ErrorInitialisingWriter", cause)
    assert fleet.platform.status(P)["status"]["versionID"] == version

    away.rename(fleet.servers.path("fleet"))
    fleet.settle()
    assert fleet.is_ready()
    assert fleet.platform.status(P)["status"]["versionID"] == version
    assert len(fleet.there.log()) == 2


def test_a_plan_says_of_a_store_that_is_away_what_a_pass_does_there(fleet):
    fleet.begin()
    fleet.settle()
    away = fleet.servers.path("fleet").rename(fleet.servers.root / "away")
    fleet.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})

    def plan(output="json"):
        return fleet.command("--repo", fleet.platform.path, "plan", "--detailed-exitcode", "-o", output)

    def told():
        ended = plan()
        found = json.loads(ended.out)
        rows = [(row["action"], row["reason"]) for row in found["placements"]]
        return ended.code, found["changes"], rows, found["files"]

    cause = "GitStateStore/s: there is no repository at that address, or these credentials do not show it"
    assert told() == (2, True, [("hold", f"WorkloadsFailedWrite: {cause}")], [])
    fleet.once()
    assert told() == (0, False, [], [])
    (failure,) = json.loads(plan().out)["failures"]
    assert failure == {"branch": f"{fleet.servers.url('file', 'fleet')}#main", "message": cause}
    assert f"Nothing can be written to\n  ! branch {failure['branch']}  {cause}\n" in plan("text").out
    assert f"- branch `{failure['branch']}`: " in plan("markdown").out
    assert plan("diff") == (0, "", f"warning: nothing can be written to branch {failure['branch']}: {cause}\n")

    away.rename(fleet.servers.path("fleet"))
    code, changes, rows, files = told()
    assert (code, changes, rows) == (2, True, [("update", "its documents changed")])
    assert [file["path"] for file in files] == [DOCUMENT]


def test_a_plan_leaves_documents_where_they_are_while_the_store_that_they_move_to_is_away(fleet):
    url = fleet.servers.url("file", "fleet")
    fleet.platform.commit({"statestores/s.yaml": git_store(url), **delivered(store="")})
    fleet.settle()
    fleet.servers.path("fleet").rename(fleet.servers.root / "away")
    fleet.platform.commit({"destinations/dev.yaml": destination("dev", store="s", env="dev")})
    state = fleet.platform.git("rev-parse", "main:state").strip()

    found = json.loads(fleet.command("--repo", fleet.platform.path, "plan", "-o", "json").out)

    assert [row["action"] for row in found["placements"]] == ["hold"]
    assert (found["files"], found["documentTrees"]["embedded"]) == ([], state)
    fleet.once()
    assert fleet.platform.git("rev-parse", "main:state").strip() == state


def test_one_repository_under_two_names_is_one_store(fleet):
    path = fleet.servers.path("fleet")
    fleet.platform.commit(
        {
            "statestores/s.yaml": git_store(f"file://{path}", "s", path="one"),
            "statestores/t.yaml": git_store(f"file://localhost/{path}/", "t", path="two"),
            "destinations/a.yaml": destination("a", store="s", env="dev"),
            "destinations/b.yaml": destination("b", store="t", env="dev"),
            "works/r.yaml": work("r", env="dev"),
        }
    )
    fleet.settle()

    assert {file.split("/")[0] for file in fleet.there.files()} == {"one", "two"}
    assert {fleet.platform.condition(f"destinations/{name}.yaml")[0] for name in "ab"} == {"True"}


def test_a_definition_that_leads_nowhere_does_not_stop_another_one_of_the_same_repository(fleet):
    url = fleet.servers.url("http", "fleet")
    fleet.command.secret("fleet", fleet.servers.secret("http"))
    bad = git_store(url, "bad", "http", secretRef={"name": "nothing"})
    fleet.platform.commit({"statestores/a.yaml": bad, "statestores/s.yaml": git_store(url, kind="http"), **delivered()})
    fleet.settle()

    assert DOCUMENT in fleet.there.files()
    assert fleet.platform.condition(D)[0] == "True"


def test_several_branches_of_one_repository_and_one_that_is_refused(fleet):
    url = fleet.servers.url("file", "fleet")
    hook(fleet.servers.path("fleet"), "update", 'test "$1" != refs/heads/locked || { echo locked >&2; exit 1; }')
    fleet.platform.commit(
        {
            **{f"statestores/{n}.yaml": git_store(url, n, branch=n) for n in ("free", "locked")},
            **{f"destinations/{n}.yaml": destination(n, store=n, env="dev") for n in ("free", "locked")},
            "works/r.yaml": work("r", env="dev"),
        }
    )
    fleet.settle()

    assert fleet.there.tip("free")
    assert not fleet.there.tip("locked")
    assert fleet.platform.condition("destinations/free.yaml")[0] == "True"
    assert "locked" in fleet.platform.condition("destinations/locked.yaml")[2]


def test_documents_move_to_another_repository_and_back_and_are_never_nowhere(fleet):
    fleet.begin()
    fleet.platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    fleet.settle()
    assert any(file.endswith("/r.yaml") for file in fleet.platform.files("state/"))

    fleet.platform.commit({"destinations/dev.yaml": destination("dev", store="s", env="dev")})
    before = fleet.platform.tip()
    fleet.settle()
    assert DOCUMENT in fleet.there.files()
    assert not fleet.platform.files("state/")
    arrived, left = fleet.platform.log(until=before)[-1], fleet.platform.log(until=before)[0]
    assert any(file.endswith("/r.yaml") for file in fleet.platform.files("state/", at=str(arrived.id)))
    assert not fleet.platform.files("state/", at=str(left.id))

    fleet.platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    fleet.settle()
    assert DOCUMENT not in fleet.there.files()
    assert any(file.endswith("/r.yaml") for file in fleet.platform.files("state/"))


def test_a_store_that_is_removed_with_its_destination_is_left_clean(fleet):
    fleet.begin()
    made = destination("dev", store="s", env="dev", cleanup="all")
    fleet.platform.commit({"destinations/dev.yaml": made})
    fleet.settle()
    fleet.platform.remove("destinations/dev.yaml", "statestores/s.yaml")
    fleet.settle()

    assert not fleet.there.files()
    assert not [file for file in fleet.platform.statuses() if not file.startswith("works/")]


def test_lost_status_is_read_back_from_the_store(fleet):
    fleet.begin()
    fleet.settle()
    version = fleet.platform.status(P)["status"]["versionID"]
    log = fleet.there.subjects()
    tree = fleet.platform.files()
    fleet.platform.move(None)
    fleet.platform.commit({path: raw for path, raw in tree.items() if not path.startswith("status/")})
    fleet.settle()

    assert fleet.platform.status(P)["status"]["versionID"] == version
    assert fleet.there.subjects() == log


def test_names_in_an_edited_status_lead_nowhere(fleet):
    fleet.begin()
    fleet.settle()
    text = fleet.platform.files()[f"status/{P}"].decode()
    victim = fleet.servers.make("victim")
    forged = f'superseded:\n    "file://{victim}#main":\n      x: {"0" * 40}\n  inventory:'
    fleet.platform.commit({f"status/{P}": text.replace("inventory:", forged, 1)})
    fleet.once()

    assert not Platform(victim).tip()
    assert fleet.is_ready()


def test_one_that_hangs_is_not_asked_again_at_once_and_the_others_go_on(fleet):
    with Silent() as silent:
        fleet.begin()
        fleet.platform.commit({"statestores/hung.yaml": git_store(f"git://{HOST}:{silent.port}/x.git", "hung")})
        repo = Repository.open(fleet.platform.path)
        stores = Stores(repo, Secrets(None, {}), patience=Patience(0.5, 5.0))
        daemon = Reconciler(repo, "main", fleet.platform.clock, render, branches=Branches(repo, stores))
        daemon.reconcile()
        silent.accept().close()
        assert fleet.is_ready()
        told = "unable to clone repository: it has not answered for 0.5 s"
        hung = "statestores/GitStateStore/hung.yaml"
        assert fleet.platform.condition(hung) == ("False", "ErrorInitialisingWriter", told)
        assert 0 < daemon.wait() <= 1

        tip = fleet.platform.tip()
        for _ in range(3):
            daemon.reconcile()
        silent.expect_nobody()
        assert fleet.platform.tip() == tip


def test_a_slow_answer_is_no_news_once_a_push_was_taken(fleet, monkeypatch):
    """The server was told as not ready for what had failed before the push, and was asked no more for a while."""

    class Slow(Remote):
        cut = False

        def fetch(self, branches):
            if self.cut:
                Event().wait(0.3)
                raise TransportError("the connection was cut")
            super().fetch(branches)

    monkeypatch.setattr("gitops.stores._GRACE", 0.01)
    fleet.begin()
    repo = Repository.open(fleet.platform.path)
    stores = Stores(repo, Secrets(None, {}), interval=0, connect=Slow)
    daemon = Reconciler(repo, "main", fleet.platform.clock, render, branches=Branches(repo, stores))
    daemon.reconcile()
    fleet.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("new")}, request="r", env="dev")})
    Slow.cut = True
    daemon.reconcile()
    Slow.cut = False
    tip = fleet.platform.tip()
    daemon.reconcile()
    assert fleet.platform.tip() == tip
    assert fleet.is_ready()


def test_a_daemon_finds_drift_and_tries_again_by_itself(fleet):
    fleet.begin()
    with fleet.command.daemon("--repo", fleet.platform.path, "run", "--interval", "200ms") as daemon:
        until(lambda: fleet.platform.condition(P)[0] == "True", "no answer")
        fleet.there.commit({DOCUMENT: "mine"})
        until(lambda: any("DriftCorrected" in e for e in fleet.platform.events(P)), "the drift stays")
        assert fleet.there.files()[DOCUMENT] != b"mine"
        hook(fleet.servers.path("fleet"), "pre-receive", "exit 1")
        fleet.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="r", env="dev")})
        until(lambda: fleet.platform.condition(P)[0] == "False", "the refusal does not show")
        hook(fleet.servers.path("fleet"), "pre-receive", "exit 0")
        until(lambda: fleet.is_ready(), "it does not recover")
        code, log = daemon.stop()

    assert code == 0
    assert {line["event"] for line in log} <= {"started", "reconciled", "stopped"}


def test_the_interval_is_not_needed_to_see_a_commit_while_a_store_is_watched(fleet):
    """What is fetched from a store stands below refs/ as well, and in folders that the kernel knows by two names."""
    fleet.begin()
    with fleet.command.daemon("--repo", fleet.platform.path, "run", "--interval", "1h"):
        until(lambda: fleet.platform.condition(P)[0] == "True", "no answer")
        for text in ("two", "three"):
            fleet.platform.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", text)}, request="r", env="dev")})
            until(lambda: fleet.platform.subjects()[0].startswith("status: "), "the commit is not seen")
            assert text.encode() in fleet.there.files()[DOCUMENT]


def test_sigterm_ends_what_hangs_at_once_and_nothing_stays_behind(fleet):
    with Silent() as silent:
        fleet.platform.commit({"statestores/s.yaml": git_store(f"git://{HOST}:{silent.port}/x.git"), **delivered()})
        with fleet.command.daemon("--repo", fleet.platform.path, "run") as daemon, silent.accept() as line:
            code, _ = daemon.stop()
            line.settimeout(5)
            while line.recv(1 << 16):
                pass

    assert code == 0
    assert not fleet.platform.status(S)
