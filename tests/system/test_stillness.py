"""A commit that touches nothing of ours needs no pass; whatever else happens is seen."""

import pytest
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle
from support.platform import BOB

from gitops import reconciler
from gitops.cache import Cache

DEV = {"destinations/dev.yaml": destination("dev", env="dev")}


def redis(text="a"):
    return {"works/redis.yaml": work("redis", groups=[group({"x.yaml": configmap("x", text)}, selector(env="dev"))])}


@pytest.fixture
def passes(monkeypatch):
    """The passes that were needed, by what each looked at."""
    made = []
    real = reconciler.observe
    monkeypatch.setattr(reconciler, "observe", lambda *args: (made.append(args), real(*args))[1])
    return made


@pytest.fixture
def still(platform, passes):
    """A platform whose daemon has nothing left to do."""
    platform.commit(DEV | redis())
    platform.reconcile()
    passes.clear()
    return platform


def test_after_a_pass_nothing_is_looked_at_until_something_happens(still, passes):
    (first,) = still.reconcile()
    still.commit({"docs/a.md": "a"})
    still.commit({"docs/a.md": None, "README.md": "b"})
    (second,) = still.reconcile()

    assert not passes
    assert (second.commits, second.tally) == ((), first.tally) == ((), "1 Work, 1 Ready")
    assert second.tip.hex() == still.tip()
    settle(still)


def test_a_merge_of_such_commits_needs_no_pass_either(still, passes):
    still.commit({"docs/a.md": "a"}, branch="side", onto=still.tip())
    still.commit({"docs/b.md": "b"})
    still.merge("side")
    still.reconcile()

    assert not passes
    settle(still)


@pytest.mark.parametrize(
    "change",
    [
        redis("b"),
        {"works/redis.yaml": None},
        {"destinations/more.yaml": destination("more", env="dev")},
        {"statestores/side.yaml": store("side", "documents", "")},
        {"gitops.yaml": {"commit": {"granularity": "pass"}}},
        {"templates/status-README.md.j2": "All is well\n"},
        {"state/dev/dependencies/foreign.yaml": "a: 1\n"},
        {"status/works/default/redis/work.yaml": "a: 1\n"},
        {"status/README.md": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_matters_is_looked_at(still, passes, change):
    still.commit(change, by=BOB)
    still.reconcile()

    assert passes
    settle(still)


def test_a_rewind_and_another_history_of_the_same_content_are_looked_at(still, passes):
    before = still.tip()
    still.commit({"docs/a.md": "a"})
    still.reconcile()
    still.rewind(1)
    assert still.tip() == before
    still.reconcile()
    assert passes
    settle(still)

    passes.clear()
    still.rewind(2)
    still.reconcile()
    assert passes
    settle(still)


def test_a_change_of_another_branch_is_looked_at(platform, passes):
    at = {"destinations/dev.yaml": destination("dev", env="dev", store="side")}
    platform.commit(at | redis() | {"statestores/side.yaml": store("side", "documents", "")})
    platform.reconcile()
    passes.clear()
    platform.reconcile()
    assert not passes

    platform.commit({"anything.txt": "x"}, by=BOB, branch="documents")
    platform.reconcile()
    assert passes
    settle(platform)


def test_broken_settings_are_looked_at_each_time(still, passes):
    """Which are in effect instead is known by the history, which goes on."""
    still.commit({"gitops.yaml": "a: ["})
    still.reconcile()
    passes.clear()
    still.reconcile()
    assert passes


def test_a_daemon_that_comes_back_knows_that_nothing_changed(platform, passes, tmp_path):
    platform.commit(DEV | redis())
    cache = Cache(tmp_path, "main")
    daemon = platform.reconciler(cache)
    daemon.reconcile()
    daemon.keep()
    platform.commit({"docs/a.md": "a"})
    passes.clear()
    platform.reconciler(cache).reconcile()

    assert not passes
    settle(platform)
