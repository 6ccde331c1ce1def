"""What is read ahead for a pass is what the pass reads then: all of it, nothing else, and in that order."""

import pytest
from support.definitions import configmap, destination, group, selector, work

from gitops.core import plan
from gitops.core.placing import Context
from gitops.git import objects


class Expected:
    """Stands for git that reads ahead, and tells which files it read in vain, and which it missed."""

    def __init__(self):
        self.left, self.deciding = [], False
        self.files, self.taken, self.vain, self.missed = {}, [], [], []

    def begin(self, _, oids):
        self.left = list(oids)
        return self

    def take(self, oid, kind):
        if oid in self.left:
            self.pass_over(self.left.index(oid))
            self.taken.append(self.files.get(self.left.pop(0)))
        elif self.deciding and oid in self.files:
            self.missed.append(self.files[oid])

    def pass_over(self, count):
        self.vain += [self.files[oid] for oid in self.left[:count] if oid in self.files]
        del self.left[:count]

    def close(self):
        self.pass_over(len(self.left))


@pytest.fixture
def expected(monkeypatch):
    found, decide = Expected(), Context.decide

    def deciding(context, key):
        found.deciding = True
        try:
            return decide(context, key)
        finally:
            found.deciding = False

    monkeypatch.setattr(Context, "decide", deciding)
    monkeypatch.setattr(objects, "ReadAhead", found.begin)
    monkeypatch.setattr(objects, "_MANY", 0)
    monkeypatch.setattr(plan, "_AHEAD", 2)
    return found


def template():
    """A Work of which one group need not be read again, and the other must be."""
    documents = group({"y.yaml": configmap("y")}, selector(env="dev"), directory="y")
    groups = [group({"x.yaml.j2": configmap("t")}, selector(env="dev")), documents]
    return {"works/t.yaml": work("t", promise="t", groups=groups)}


def folder_work():
    groups = [group(None, selector(env="dev"))]
    return {"works/f/work.yaml": work("f", promise="f", groups=groups), "works/f/x.yaml": configmap("f")}


@pytest.fixture
def known(platform):
    works = {f"works/{name}.yaml": work(name, promise=name, env="dev") for name in "abcde"}
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), **works, **template(), **folder_work()})
    platform.reconcile()
    return platform


CHANGES = {
    "one Destination more": {"destinations/more.yaml": destination("more", env="dev")},
    "a Work and a Destination": {
        "works/a.yaml": work("a", {"z.yaml": configmap("z")}, promise="a", env="dev"),
        "destinations/more.yaml": destination("more", env="dev"),
    },
}


def files(platform):
    """Paths by id of what is read of Works, but for the folder of one, which is read when its definition is."""
    found = {**platform.blobs("status/works/"), **platform.blobs("works/")}
    return {bytes.fromhex(oid): path for path, oid in found.items() if not path.startswith("works/f/")}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_daemon_reads_ahead_is_what_it_reads(known, expected, change):
    known.commit(CHANGES[change])
    expected.files = files(known)
    known.reconcile()
    assert expected.taken
    assert (expected.vain, expected.missed) == ([], [])


def test_what_a_newcomer_reads_ahead_is_what_it_reads(known, expected):
    expected.files = files(known)
    known.reconciler().reconcile()
    assert {path for path in expected.files.values() if path.startswith("status/")} <= set(expected.taken)
    assert (expected.vain, expected.missed) == ([], [])
