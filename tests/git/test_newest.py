"""The newest commit of a kind is the same whether it was looked for before or not, however branches were merged."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from gitops.core.tree import EMPTY
from gitops.git.commits import Identity
from gitops.git.history import is_ancestor
from gitops.git.newest import newest
from gitops.git.repository import Repository

ADA = Identity("Ada", "ada@example.com")


def wanted(message):
    return message.strip() == "wanted"


def commit(repo, parents, message="other", when=0):
    return repo.objects.commit(EMPTY, parents, ADA, 1_700_000_000 + when, message)


def asked_anew(repo, tip):
    """Ask without anything in mind."""
    repo.newest.clear()
    found = newest(repo, tip, wanted)
    repo.newest.clear()
    return found


STEP = st.tuples(
    st.lists(st.integers(0, 5), max_size=3), st.sampled_from(["wanted", "other", "other"]), st.integers(0, 3)
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, min_size=1, max_size=12))
def test_what_is_in_mind_changes_no_answer(repo, steps):
    made, answers = [], []
    repo.newest.clear()
    for number, (parents, message, when) in enumerate(steps):
        chosen = list(dict.fromkeys(made[-1 - back] for back in parents if back < len(made)))
        made.append(commit(repo, chosen, message, when + number % 2))
        answers.append(newest(repo, made[-1], wanted))
    assert [asked_anew(repo, tip) for tip in made] == answers


def test_to_ask_again_reads_only_what_came_since(repo, monkeypatch):
    tip = commit(repo, [], "wanted")
    for when in range(50):
        tip = commit(repo, [tip], when=when)
    first = newest(repo, tip, wanted)
    side = commit(repo, [commit(repo, [tip], when=51)], when=52)
    tip = commit(repo, [commit(repo, [tip], when=53), side], when=54)
    read = []
    real = repo.objects.read_commit
    monkeypatch.setattr(repo.objects, "read_commit", lambda oid: (read.append(oid), real(oid))[1])

    assert newest(repo, tip, wanted) == first
    assert len(set(read)) < 10


def test_there_may_be_none(repo: Repository):
    tip = commit(repo, [commit(repo, [])])
    assert newest(repo, tip, wanted) is None
    assert newest(repo, commit(repo, [tip]), wanted) is None


def test_a_clock_that_went_back_makes_nothing_newer_than_what_was_built_on_it(repo):
    older = commit(repo, [], "wanted", when=10)
    newer = commit(repo, [older], "wanted", when=5)
    side = commit(repo, [older], when=10)
    assert newest(repo, commit(repo, [newer, side], when=11), wanted).oid == newer


def test_what_was_built_on_it_is_newer_also_beside_another_of_the_same_second(repo):
    older = commit(repo, [], "wanted", when=10)
    newer = commit(repo, [older], "wanted", when=10)
    another = commit(repo, [commit(repo, [])], "wanted", when=10)
    for sides in ([another, newer], [newer, another]):
        assert newest(repo, commit(repo, [older, *sides], when=11), wanted).oid == newer


def test_of_two_beside_it_the_one_that_was_built_on_the_other_is_newer_though_its_date_is_not(repo):
    newer = commit(repo, [commit(repo, [], "wanted", when=20)], "wanted", when=5)
    one = commit(repo, [], "wanted", when=10)
    assert newest(repo, commit(repo, [one, newer], when=21), wanted).oid in (one, newer)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, min_size=1, max_size=12))
def test_none_was_built_on_the_newest_whatever_the_clocks_said(repo, steps):
    made = []
    for parents, message, when in steps:
        chosen = list(dict.fromkeys(made[-1 - back] for back in parents if back < len(made)))
        made.append(commit(repo, chosen, message, when))
    found, tip = asked_anew(repo, made[-1]), made[-1]
    led_there = [repo.objects.read_commit(oid) for oid in dict.fromkeys(made) if is_ancestor(repo, oid, tip)]
    for other in (info for info in led_there if wanted(info.message)):
        assert found
        assert found == other or not is_ancestor(repo, found.oid, other.oid)
