"""Who keeps what several claim: the first recorded owner; losing takes nothing from anybody."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops.core.ownership import Claim, Claimant, Conflict, _Taken, resolve


def claim(exclusive="", shared=""):
    return Claim(frozenset(exclusive), frozenset(shared))


def claimant(name, wants, holds=None, brings=None):
    return Claimant((name,), wants, holds or claim(), brings or claim())


def test_of_two_newcomers_the_first_by_namespace_name_and_group_wins():
    later, first = claimant("b", claim("x")), claimant("a", claim("x"))

    assert resolve([later, first], {}) == {("b",): Conflict("x", ("a",))}


def test_who_holds_it_keeps_it_whoever_else_comes():
    assert resolve([claimant("a", claim("x")), claimant("z", claim("x"), claim("x"))], {}) == {
        ("a",): Conflict("x", ("z",))
    }


def test_who_brings_it_from_elsewhere_keeps_it_like_who_holds_it():
    """Its Destination moves, and so does the directory that it shares with others."""
    comes = claimant("z", claim("x", "d"), brings=claim("xy", "d"))
    rivals = [claimant("a", claim("x")), claimant("b", claim("d")), claimant("c", claim("y"))]

    assert resolve([*rivals, comes], {}) == {("a",): Conflict("x", ("z",)), ("b",): Conflict("d", ("z",))}


def test_what_is_brought_stays_behind_with_who_is_held_back():
    comes = claimant("z", claim("xy"), brings=claim("xy"))

    assert resolve([claimant("a", claim("x")), comes, claimant("b", claim("y"), claim("y"))], {}) == {
        ("z",): Conflict("x", ("a",))
    }


def test_what_the_holder_gives_up_is_free():
    assert resolve([claimant("a", claim("x")), claimant("z", claim("y"), claim("x"))], {}) == {}


def test_two_who_want_what_the_other_gives_up_swap():
    files = [claimant("a", claim("x"), claim("y")), claimant("z", claim("y"), claim("x"))]
    directories = [claimant("a", claim("d"), claim(shared="e")), claimant("z", claim("e"), claim(shared="d"))]

    assert resolve(files, {}) == {}
    assert resolve(directories, {}) == {}


def test_a_loser_is_held_back_as_a_whole_and_keeps_what_it_holds():
    held_back = claimant("b", claim("xy"), claim("y"))

    assert resolve([claimant("a", claim("x"), claim("x")), held_back, claimant("c", claim("y"))], {}) == {
        ("b",): Conflict("x", ("a",)),
        ("c",): Conflict("y", ("b",)),
    }


def test_directories_are_shared_but_not_with_a_file_of_the_same_name():
    neighbours = [claimant("a", claim("f", "d")), claimant("b", claim("g", "d"))]

    assert resolve(neighbours, {}) == {}
    assert resolve([*neighbours, claimant("c", claim("d"))], {}) == {("c",): Conflict("d", ("a",))}
    assert resolve([claimant("0", claim("d")), *neighbours], {}).keys() == {("a",), ("b",)}


def test_what_is_reserved_is_lost_even_by_who_holds_it():
    found = resolve([claimant("a", claim("x"), claim("x"))], {("Destination", "dev"): claim("x")})

    assert found == {("a",): Conflict("x", ("Destination", "dev"))}


def test_of_several_that_are_lost_the_first_is_named_and_the_first_who_has_it():
    reserved = {("Destination", "dev"): claim("wsutvr")}
    assert resolve([claimant("b", claim("xwvuts", "r"))], reserved) == {("b",): Conflict("r", ("Destination", "dev"))}

    holder = claimant("a", claim("w"), claim("w"))
    assert resolve([holder, claimant("b", claim("wv"))], {("Destination", "dev"): claim("v")}) == {
        ("b",): Conflict("v", ("Destination", "dev"))
    }

    sharing = [claimant(name, claim(shared="d"), claim(shared="d")) for name in "fce"]
    assert resolve([*sharing, claimant("g", claim("d"))], {}) == {("g",): Conflict("d", ("c",))}


def test_what_is_shared_is_only_kept_for_who_goes_on_wanting_it():
    gives_up = claimant("z", claim("x"), claim(shared="d"))

    assert resolve([gives_up, claimant("a", claim("d"))], {}) == {}


def test_of_some_that_are_held_back_each_names_who_has_what_it_wants_or_else_wants_it_too():
    """Not `c`, which gives `y` up: so it stands in the next pass, too."""
    a, b = claimant("a", claim("wy"), claim(shared="z")), claimant("b", claim("y"), claim("w"))

    assert resolve([a, b, claimant("c", claim(), claim("yz"))], {}) == {
        ("a",): Conflict("w", ("b",)),
        ("b",): Conflict("y", ("a",)),
    }


RIVALS = [claimant("b", claim("w", "v")), claimant("c", claim(shared="w"))]
GIVES_UP = claimant("d", claim(shared="w"), claim("v"))
SWAP = [claimant("a", claim("v"), claim("w")), claimant("c", claim(shared="w"), claim(shared="v"))]


def test_who_gives_up_what_a_rival_wants_is_not_held_back_for_a_rival_that_loses():
    """`b` would have what `d` gives up, but loses to `d` as long as `d` is held back, and nobody else is in d's way."""
    assert resolve([*RIVALS, GIVES_UP], {}) == {("b",): Conflict("w", ("c",))}


HELD_BACK_BY_ONE = [
    claimant("a", claim("z", "x")),
    claimant("b", claim("z", "x"), brings=claim("z")),
    claimant("c", claim(shared="z"), claim("x")),
]


def test_who_stops_bringing_something_is_named_no_more_than_others_that_want_it():
    """In the next pass nobody knows that `b` brought it, and the message must be the same."""
    assert resolve(HELD_BACK_BY_ONE, {})[("c",)] == Conflict("z", ("a",))


tokens = st.frozensets(st.sampled_from("vwxyz"), max_size=3)
claims = st.builds(Claim, tokens, tokens)
claimants = st.dictionaries(st.sampled_from("abcdef"), st.tuples(claims, claims, claims), max_size=6).map(
    lambda found: [claimant(name, *its) for name, its in found.items()]
)


def after(found, held_back):
    """The claimants of the next pass: winners hold what they wanted, the others what they held; nobody moves."""
    return [c._replace(holds=c.holds if c.owner in held_back else c.wants, brings=Claim()) for c in found]


@settings(deadline=None)
@given(claimants, claims)
def test_what_one_gets_no_other_gets(found, reserved):
    held_back = resolve(found, {("Destination",): reserved})
    winners = [c for c in found if c.owner not in held_back]

    for one in winners:
        assert not one.wants.exclusive & (reserved.exclusive | reserved.shared)
        for other in winners:
            if one is not other:
                assert not one.wants.exclusive & (other.wants.exclusive | other.wants.shared)


@settings(deadline=None)
@given(claimants, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_does_not_matter(found, random):
    shuffled = random.sample(found, len(found))

    assert resolve(shuffled, {}) == resolve(found, {})


@settings(deadline=None)
@given(claimants)
@example([*RIVALS, GIVES_UP])
@example(HELD_BACK_BY_ONE)
@example([*SWAP, claimant("b", claim("w")), claimant("d", claim("yv")), claimant("e", claim("y"))])
def test_the_next_pass_says_the_same(found):
    held_back = resolve(found, {})

    assert resolve(after(found, held_back), {}) == held_back


consistent = claimants.map(
    lambda found: after(
        [c._replace(holds=Claim(), brings=Claim()) for c in found],
        resolve([c._replace(holds=Claim(), brings=Claim()) for c in found], {}),
    )
)


@settings(deadline=None)
@given(consistent, claimants)
def test_nobody_gets_what_another_holds_and_does_not_give_up(incumbents, newcomers):
    """Holdings as real passes make them, and new wishes of anybody."""
    wishes = {c.owner: c.wants for c in newcomers}
    known = {c.owner for c in incumbents}
    now = [c._replace(wants=wishes.get(c.owner, c.wants)) for c in incumbents]
    now += [c._replace(holds=Claim()) for c in newcomers if c.owner not in known]
    held_back = resolve(now, {})

    for winner in now:
        if winner.owner in held_back:
            continue
        for other in now:
            kept = other.holds if other.owner in held_back else other.wants
            if other is not winner:
                assert not winner.wants.exclusive & (kept.exclusive | kept.shared)
                assert not kept.exclusive & winner.wants.shared


def held_back_anew(found, reserved):
    """Who is held back, the long way: each that is displaced keeps what it holds, and all begin anew."""
    displaced = set()
    while True:
        lost = sweep([c for c in found if c.owner not in displaced], [*reserved, *held(found, displaced)], displaced)
        if lost is not None:
            return lost | displaced


def held(found, owners):
    return [(c.owner, c.holds) for c in found if c.owner in owners]


def sweep(ordered, taken, displaced):
    """Who is held back by *taken*, by who came before, and by first owners; None when one was displaced."""
    lost, incumbents = set(), [(c.owner, (c.holds | c.brings) & c.wants) for c in ordered]
    for each in ordered:
        if not conflicts(each.owner, each.wants, [*taken, *incumbents]):
            taken.append((each.owner, each.wants))
        elif conflicts(each.owner, each.holds, taken):
            displaced.add(each.owner)
            return None
        else:
            taken.append((each.owner, each.holds))
            lost.add(each.owner)
    return lost


def conflicts(owner, claim, taken):
    return any(
        other != owner and (claim.exclusive & (has.exclusive | has.shared) or claim.shared & has.exclusive)
        for other, has in taken
    )


ASKED_AGAIN = {
    "as another has it after them": [
        claimant("a", claim("x", "y")),
        claimant("b", claim("x")),
        claimant("c", claim("y"), claim("z"), brings=claim("y")),
        claimant("d", claim("y"), claim(shared="yz")),
    ],
    "as who is displaced is no first owner any more": [
        claimant("a", claim("x", "y")),
        claimant("b", claim("y"), claim(shared="y")),
        claimant("c", claim("x")),
        claimant("d", claim("y"), claim("z"), brings=claim("y")),
        claimant("e", claim("y"), claim(shared="z")),
    ],
    "as who is displaced has what it holds before all others": [
        claimant("a", claim("x")),
        claimant("b", claim("y")),
        claimant("c", claim("xy"), claim("yz")),
        claimant("d", claim("y"), claim("z")),
    ],
    "as it wants for itself what others share": [
        claimant("a", claim("xy")),
        claimant("b", claim("y"), claim(shared="x")),
    ],
    "as what it holds was given away": [
        claimant("a", claim("xy")),
        claimant("b", claim(shared="y"), claim("z")),
        claimant("c", claim(shared="z"), claim("z")),
        claimant("d", claim(shared="y"), claim("x")),
    ],
}


@settings(deadline=None)
@given(claimants, claims)
@example(ASKED_AGAIN["as another has it after them"], Claim())
@example(ASKED_AGAIN["as who is displaced is no first owner any more"], Claim())
@example(ASKED_AGAIN["as who is displaced has what it holds before all others"], Claim())
@example(ASKED_AGAIN["as it wants for itself what others share"], Claim())
@example(ASKED_AGAIN["as what it holds was given away"], Claim())
def test_who_is_asked_again_comes_to_what_beginning_anew_comes_to(found, reserved):
    """Until who is held back is so again in the next pass."""
    ordered, others = sorted(found), [(("Destination",), reserved)]
    expected, before = held_back_anew(ordered, others), None
    while expected and before != expected:
        before, expected = expected, held_back_anew(after(ordered, expected), others)
    assert resolve(found, dict(others)).keys() == expected


def test_a_long_queue_that_cannot_move_on_asks_each_only_a_few_times(monkeypatch):
    """Each wants what the next one holds, and the last one cannot have what it wants."""
    queue = [claimant(f"{n:03}", Claim(frozenset({n + 1})), Claim(frozenset({n}))) for n in range(200)]
    asked, against = [], _Taken.against
    monkeypatch.setattr(_Taken, "against", lambda self, *args: asked.append(args) or against(self, *args))
    assert len(resolve(queue, {("Destination",): Claim(frozenset({200}))})) == 200
    assert len(asked) < 20 * len(queue)
