"""kill -9 in a pass, a few times: what `make torture` does a thousand times, and that it sees what goes wrong."""

import random
from importlib import import_module

import pytest

from torture import points
from torture.aftermath import Alike, judge
from torture.arena import Arena
from torture.kills import Lane, sweep
from torture.lanes import Job, run_in_lanes


@pytest.fixture
def lane(tmp_path):
    lane = Lane(tmp_path, None, "x")
    yield lane
    lane.close()


def test_what_a_kill_between_two_effects_leaves_is_mended_and_what_is_not_would_be_seen(tmp_path, lane):
    arena = Arena(tmp_path)
    sweep("tree", "ref.commit:after#1", arena, lane, random.Random(1))
    assert arena.counts["points at which one was killed"] == 1

    case = lane.case("tree", "sweep", many=True)
    (case.again().home / ".git/refs/heads/other.lock").touch()
    with pytest.raises(AssertionError, match="left behind"):
        judge(case, Alike.BYTES, cold=False)


@pytest.mark.parametrize("effect", points.EFFECTS, ids=lambda effect: effect.name)
def test_every_effect_is_where_it_is_looked_for(effect):
    holder = import_module(effect.module)
    assert callable(getattr(getattr(holder, effect.owner) if effect.owner else holder, effect.attribute))


def test_of_many_moments_of_one_name_the_first_and_the_last_are_chosen_and_those_in_which_git_may_die():
    assert points.moments(["a", "b", "a", "a", "a"], 2) == ["a#1", "a#2", "a#4", "b#1"]
    assert points.moments(["git push:before"], 2)[:-1] == ["git push:received", "git push:accepted"]


class Nothing:
    def close(self):
        self.closed = True


def test_lanes_share_the_attempts_and_what_goes_wrong_in_each_is_told(tmp_path):
    arena = Arena(tmp_path)

    def act(arena, lane, chance):
        arena.counts["done"] += 1
        assert chance.random() < 0.5

    jobs = [Job(str(number), act) for number in range(60)]
    wrong = {str(number) for number in range(60) if random.Random(str(number)).random() >= 0.5}
    run_in_lanes(arena, lambda *_: jobs, lambda _: Nothing())
    assert arena.counts["done"] == arena.counts["attempts"] == 60
    assert {finding.seed for finding in arena.findings} == wrong
