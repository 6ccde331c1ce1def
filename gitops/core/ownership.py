"""Who owns a path or an object that several placements of one Destination claim: the first recorded owner.

A claim is a set of tokens. An exclusive token bears no other claim; a shared one (a directory above a file) bears other
shared claims, but no exclusive one. A placement that loses any token is held back as a whole: it keeps what it holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

Owner = tuple[str, ...]


class Claim(NamedTuple):
    """What a placement wants, or holds."""

    exclusive: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    @classmethod
    def union(cls, claims: Collection[Claim]) -> Claim:
        """Return one claim to all that *claims* are to."""
        if len(claims) == 1:
            return next(iter(claims))
        return cls(frozenset().union(*(c.exclusive for c in claims)), frozenset().union(*(c.shared for c in claims)))

    def __and__(self, other: Claim) -> Claim:
        return Claim(self.exclusive & other.exclusive, self.shared & other.shared)

    def __or__(self, other: Claim) -> Claim:
        return Claim(self.exclusive | other.exclusive, self.shared | other.shared)


class Claimant(NamedTuple):
    """A placement: what it wants now, and what it holds from before. Owners sort by (namespace, name, group).

    When its Destination has moved, it *brings* what it held at the old place: that makes it the first owner of the same
    at the new one. If it is held back, however, it goes on holding that where it was.
    """

    owner: Owner
    wants: Claim
    holds: Claim = Claim()
    brings: Claim = Claim()


class Conflict(NamedTuple):
    """Why a claimant is held back: the token, and who owns it."""

    token: str
    owner: Owner


class _Taken:
    def __init__(self) -> None:
        self._exclusive: dict[str, list[Owner]] = {}
        self._shared: dict[str, list[Owner]] = {}

    def take(self, owner: Owner, claim: Claim) -> None:
        for token in claim.exclusive:
            self._exclusive.setdefault(token, []).append(owner)
        for token in claim.shared:
            self._shared.setdefault(token, []).append(owner)

    def against(self, owner: Owner, claim: Claim) -> Conflict | None:
        for token in sorted(claim.exclusive | claim.shared):
            others = list(self._exclusive.get(token, ()))
            if token in claim.exclusive:
                others += self._shared.get(token, ())
            if other := min((o for o in others if o != owner), default=None):
                return Conflict(token, other)
        return None


def resolve(claimants: Iterable[Claimant], reserved: Mapping[Owner, Claim]) -> dict[Owner, Conflict]:
    """Return the claimants that are held back. *reserved* belongs to nobody of them, whatever they hold.

    Deterministic, and stable: with the winners' wants recorded as holds the outcome is the same again.
    """
    ordered = sorted(claimants)
    found = _settled(ordered, reserved)
    while found:
        # Who wins does so again with that in its hands; and more may, now that it has given up what it held.
        again = _settled(_afterwards(ordered, found), reserved)
        if again.keys() == found.keys():
            break
        found = again
    return _named(ordered, reserved, found)


def _settled(ordered: Sequence[Claimant], reserved: Mapping[Owner, Claim]) -> dict[Owner, Conflict]:
    """Sweep until nobody is displaced."""
    held: dict[Owner, Conflict] = {}
    while True:
        found, displaced = _sweep(ordered, reserved, held)
        if not displaced:
            return found
        held |= displaced  # what it holds was given away in this sweep: sweep again with that in its hands


def _afterwards(ordered: Sequence[Claimant], found: Mapping[Owner, Conflict]) -> list[Claimant]:
    """Return the claimants of the next pass: who was not held back holds what it wanted, and nobody moves."""
    return [c._replace(holds=c.holds if c.owner in found else c.wants, brings=Claim()) for c in ordered]


def _sweep(
    ordered: Sequence[Claimant], reserved: Mapping[Owner, Claim], held: Mapping[Owner, Conflict]
) -> tuple[dict[Owner, Conflict], dict[Owner, Conflict]]:
    taken, incumbents = _Taken(), _Taken()
    for owner, claim in reserved.items():
        taken.take(owner, claim)
    for claimant in ordered:
        if claimant.owner in held:
            taken.take(claimant.owner, claimant.holds)
        else:
            incumbents.take(claimant.owner, (claimant.holds | claimant.brings) & claimant.wants)
    found = dict(held)
    for claimant in ordered:
        if claimant.owner in held:
            continue
        lost = taken.against(claimant.owner, claimant.wants) or incumbents.against(claimant.owner, claimant.wants)
        if lost is None:
            taken.take(claimant.owner, claimant.wants)
            continue
        if taken.against(claimant.owner, claimant.holds):
            return found, {claimant.owner: lost}
        taken.take(claimant.owner, claimant.holds)
        found[claimant.owner] = lost
    return found, {}


def _named(
    ordered: Sequence[Claimant], reserved: Mapping[Owner, Claim], found: Mapping[Owner, Conflict]
) -> dict[Owner, Conflict]:
    """Say each conflict as it stands in the end: the same again, however the sweeps came to it.

    Of some that are held back for each other's sake, each names who wants the same.
    """
    had, wanted = _Taken(), _Taken()
    for owner, claim in reserved.items():
        had.take(owner, claim)
    for claimant in ordered:
        had.take(claimant.owner, claimant.holds if claimant.owner in found else claimant.wants)
        wanted.take(claimant.owner, claimant.wants)
    return {
        c.owner: had.against(c.owner, c.wants) or wanted.against(c.owner, c.wants) or found[c.owner]
        for c in ordered
        if c.owner in found
    }
