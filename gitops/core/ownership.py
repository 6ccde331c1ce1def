"""Who owns a path or an object that several placements of one Destination claim: the first recorded owner.

A claim is a set of tokens. An exclusive token bears no other claim; a shared one (a directory above a file) bears other
shared claims, but no exclusive one. A placement that loses any token is held back as a whole: it keeps what it holds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
from itertools import chain
from typing import NamedTuple

Owner = tuple[str, ...]
_BEFORE = -1  # all turns


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

    @property
    def keeps(self) -> Claim:
        """What it wants and is the first owner of."""
        return (self.holds | self.brings) & self.wants


class Conflict(NamedTuple):
    """Why a claimant is held back: the token, and who owns it."""

    token: str
    owner: Owner


class _Taken:
    """Who has what, and since whose turn. Before all turns is what somebody has for sure."""

    def __init__(self) -> None:
        self._exclusive: dict[str, dict[Owner, int]] = {}
        self._shared: dict[str, dict[Owner, int]] = {}

    def take(self, owner: Owner, claim: Claim, turn: int = _BEFORE) -> None:
        for tokens, owners in ((claim.exclusive, self._exclusive), (claim.shared, self._shared)):
            for token in tokens:
                owners.setdefault(token, {})[owner] = turn

    def release(self, owner: Owner, claim: Claim) -> None:
        for tokens, owners in ((claim.exclusive, self._exclusive), (claim.shared, self._shared)):
            for token in tokens:
                del owners[token][owner]

    def against(self, owner: Owner, claim: Claim, turn: int = 0) -> Conflict | None:
        """Return what of *claim* others have since before *turn*."""
        for token in sorted(claim.exclusive | claim.shared):
            others = chain(
                self._exclusive.get(token, {}).items(),
                self._shared.get(token, {}).items() if token in claim.exclusive else (),
            )
            if other := min((o for o, since in others if since < turn and o != owner), default=None):
                return Conflict(token, other)
        return None


def resolve(claimants: Iterable[Claimant], reserved: Mapping[Owner, Claim]) -> dict[Owner, Conflict]:
    """Return the claimants that are held back. *reserved* belongs to nobody of them, whatever they hold.

    Deterministic, and stable: with the winners' wants recorded as holds the outcome is the same again.
    """
    ordered = sorted(claimants)
    found = _Turns(ordered, reserved).settle()
    while found:
        # Who wins does so again with that in its hands; and more may, now that it has given up what it held.
        again = _Turns(_afterwards(ordered, found), reserved).settle()
        if again.keys() == found.keys():
            break
        found = again
    return _named(ordered, reserved, found)


def _afterwards(ordered: Sequence[Claimant], found: Mapping[Owner, Conflict]) -> list[Claimant]:
    """Return the claimants of the next pass: who was not held back holds what it wanted, and nobody moves."""
    return [c._replace(holds=c.holds if c.owner in found else c.wants, brings=Claim()) for c in ordered]


class _Turns:
    """Gives each claimant its turn, in their order, and once more when what it claims has changed hands before it.

    Who loses what it wants, and of what it holds something has been given away, is displaced: it has what it holds
    before all turns then. The outcome is that of beginning anew for each that is displaced.
    """

    def __init__(self, ordered: Sequence[Claimant], reserved: Mapping[Owner, Claim]) -> None:
        self._ordered = ordered
        self._next, self._again = 0, list[int]()  # the first who had no turn yet, and a heap of those to be asked again
        self._takes: dict[int, Claim] = {}
        self._lost: dict[int, Conflict] = {}
        self._displaced: set[int] = set()
        self._taken, self._incumbents = _Taken(), _Taken()
        for owner, claim in reserved.items():
            self._taken.take(owner, claim)
        for claimant in ordered:
            self._incumbents.take(claimant.owner, claimant.keeps)

    def settle(self) -> dict[Owner, Conflict]:
        """Return who is held back."""
        while self._again or self._next < len(self._ordered):
            turn = heappop(self._again) if self._again else self._next
            while self._again[:1] == [turn]:
                heappop(self._again)
            self._next = max(self._next, turn + 1)
            self._decide(turn)
        return {self._ordered[turn].owner: lost for turn, lost in self._lost.items()}

    def _decide(self, turn: int) -> None:
        owner, wants, holds, _ = claimant = self._ordered[turn]
        lost = self._taken.against(owner, wants, turn) or self._incumbents.against(owner, wants)
        if lost is None:
            self._lost.pop(turn, None)
            self._take(turn, wants)
            return
        self._lost[turn] = lost
        if self._taken.against(owner, holds, turn):
            self._displaced.add(turn)
            self._incumbents.release(owner, claimant.keeps)
            self._ask_again(claimant.keeps, _BEFORE)
        self._take(turn, holds)

    def _take(self, turn: int, claim: Claim) -> None:
        owner, before = self._ordered[turn].owner, self._takes.get(turn, Claim())
        since = _BEFORE if turn in self._displaced else turn
        if claim == before and since == turn:
            return
        self._taken.release(owner, before)
        self._taken.take(owner, claim, since)
        self._takes[turn] = claim
        self._ask_again(before | claim, since)

    def _ask_again(self, claim: Claim, since: int) -> None:
        """Ask those again that had their turn later than *since* and claim something of *claim*."""
        if self._next == since + 1:
            return
        anyhow, alone = self._claimants
        for turns in (*(anyhow[token] for token in claim.exclusive), *(alone[token] for token in claim.shared)):
            for turn in turns[bisect_right(turns, since) : bisect_left(turns, self._next)]:
                if turn not in self._displaced:
                    heappush(self._again, turn)

    @cached_property
    def _claimants(self) -> tuple[Mapping[str, list[int]], Mapping[str, list[int]]]:
        """Who claims a token, by that: in any way, and for itself alone."""
        anyhow, alone = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        for turn, claimant in enumerate(self._ordered):
            claim = claimant.wants | claimant.holds
            for token in claim.exclusive:
                alone[token].append(turn)
            for token in claim.exclusive | claim.shared:
                anyhow[token].append(turn)
        return anyhow, alone


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
