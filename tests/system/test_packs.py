"""Each pass that writes leaves a pack; a daemon, and a pass by itself, see to it that they do not become too many."""

from threading import Event

import pytest
from support.definitions import configmap, destination, group, selector, work

from gitops.cli.main import main
from gitops.daemon import Daemon
from gitops.git.maintenance import Maintenance
from gitops.git.repository import Repository


@pytest.fixture
def busy(platform):
    """A platform with as many packs as passes."""
    platform.git("config", "gc.autoPackLimit", "5")
    platform.git("config", "gc.autoDetach", "false")
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    for turn in range(25):
        documents = {"x.yaml": configmap("x", str(turn))}
        platform.commit({"works/redis.yaml": work("redis", groups=[group(documents, selector(env="dev"))])})
        platform.reconcile()
    assert packs(platform) == 25
    return platform


def packs(platform):
    return len(list(platform.path.glob("objects/pack/*.pack")))


def test_after_one_pass(busy):
    assert main(["--repo", str(busy.path), "run", "--once"]) == 0
    assert packs(busy) < 5


def test_by_a_daemon_that_goes_on_meanwhile(busy):
    maintenance = Maintenance(Repository.open(busy.path))
    Daemon(busy.reconciler(), Event(), maintenance).run(["start"])
    maintenance.wait()

    assert packs(busy) < 5
    tip = busy.tip()
    busy.reconcile()  # by the daemon that knew the packs that are gone
    assert busy.tip() == tip
    busy.commit({"works/redis.yaml": None})
    busy.reconcile()
    assert "withdraw(default/redis): dev (+0 ~0 -1)" in busy.subjects()
