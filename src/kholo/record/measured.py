"""A proposition set against what was measured, network by network and day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_

import msgspec

from kholo.model import IMPAIRED, Coverage, Grade, Kind, Outcome, Proposition, Reason, Shown, State
from kholo.wording import Told, listed

from .evidence import Evidence, Line, Spell
from .spans import Span, cut, is_by_date, speaks_against_ok, window
from .wording import say

#: What looked like a block and is none; each has a sentence.
_NONE = frozenset({Kind.SHUT_DOWN, Kind.SERVICE_DOWN, Kind.MEASURING_CHANGED})


class Ruling(msgspec.Struct, frozen=True):
    """What one sort of evidence says of a proposition."""

    outcome: Outcome
    grade: Grade | None
    because: Told
    evidence: tuple[str, ...] = ()
    reason: Reason | None = None


class Asked(msgspec.Struct, frozen=True):
    """A proposition as it is asked: by when, what sentences call the service, and how its time is to be read.

    `is_one_day`: it is of one day, and nobody knows which of them.
    """

    claim: Proposition
    as_of: datetime
    service: str
    is_one_day: bool = False

    @property
    def span(self) -> Span:
        """The time that it speaks of, as far as it had come."""
        return window(self.claim, self.as_of)

    @property
    def is_over(self) -> bool:
        """Whether all of its time had passed."""
        return self.claim.end <= self.as_of

    @property
    def by_date(self) -> bool:
        """Whether it names days."""
        return is_by_date(self.claim)


class Measured:
    """What was measured inside of a proposition's time. Sets of days are bits."""

    def __init__(self, asked: Asked, evidence: Evidence) -> None:
        self.asked, self.days = asked, evidence.days
        self.lines = evidence.lines(asked.claim)
        self.span = asked.span
        self.wanted = self.days.touched(self.span)
        self.spells = _inside(self.lines, self.span)
        self.so: Mapping[str, int] = {line.network: self._so(line) for line in self.lines}
        self.otherwise: Mapping[str, int] = {line.network: self._otherwise(line) for line in self.lines}

    @property
    def all_so(self) -> int:
        """The days on which it is so on any network."""
        return reduce(or_, self.so.values(), 0)

    @property
    def all_otherwise(self) -> int:
        """The days on which it is otherwise on any network."""
        return reduce(or_, self.otherwise.values(), 0)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks with anything decisive in that time."""
        return tuple(line.network for line in self.lines if self.spells[line.network] or line.counted(self.span)[1])

    @property
    def coverage(self) -> Coverage:
        """How much was measured."""
        spelled = {line.network: self._touched(list(self.spells[line.network])) for line in self.lines}
        return Coverage(
            results=sum(line.counted(self.span)[0] for line in self.lines),
            networks=len(self.networks),
            networks_known=len(self.lines),
            covered=sum((line.decided & self.wanted | spelled[line.network]).bit_count() for line in self.lines),
            wanted=self.wanted.bit_count() * len(self.lines),
        )

    @property
    def shown(self) -> Shown:
        """For how much of the proposition it is shown to be so, and otherwise."""
        return Shown(
            so_on=tuple(name for name, days in self.so.items() if days == self.wanted and not self.otherwise[name]),
            otherwise_on=tuple(name for name, days in self.otherwise.items() if days),
            days=(self.all_so & ~self.all_otherwise).bit_count(),
            of_days=self.wanted.bit_count(),
        )

    @property
    def is_all_so(self) -> bool:
        """So on every day on every network that is known; never true of none."""
        return bool(self.lines and self.wanted) and all(days == self.wanted for days in self.so.values())

    @property
    def is_all_otherwise(self) -> bool:
        """Measured to be otherwise on every day on every network that is known; never true of none."""
        return bool(self.lines and self.wanted) and all(days == self.wanted for days in self.otherwise.values())

    def spells_of(self, *states: State) -> list[Spell]:
        """The spells inside of these states, by network and time."""
        return [spell for spells in self.spells.values() for spell in spells if spell.seen.state in states]

    def refuting(self, spells: list[Spell]) -> list[Spell]:
        """Those of the spells that show "it worked" not to be so."""
        if self.asked.is_one_day:
            filled = [(spell, self.days.filled(spell.span, self.span)) for spell in spells]
            every = reduce(or_, (days for _, days in filled), 0) == self.wanted
            return [spell for spell, days in filled if days] if every else []
        return [spell for spell in spells if speaks_against_ok(spell.span, self.span, self.asked.by_date)]

    def are_enough(self, spells: list[Spell]) -> bool:
        """Whether these spells alone show all of what is claimed."""
        return all(
            self._said([one for one in spells if one.seen.network == line.network]) == self.wanted
            for line in self.lines
        )

    def taken_back(self) -> list[Spell]:
        """The spells inside of what looked like a block and is none."""
        return [spell for line in self.lines for spell in line.taken_back if cut(spell.span, self.span)]

    def grade_of_days(self, sets: Mapping[str, int]) -> Grade:
        """What these days rest on: A only where all of them were judged from raw measurements."""
        return Grade.A if all(not sets[line.network] & ~line.raw for line in self.lines) else Grade.B

    def _so(self, line: Line) -> int:
        if self.asked.claim.state is State.OK:
            return line.ok & self.wanted
        return self._said([one for one in self.spells[line.network] if one.seen.state is self.asked.claim.state])

    def _said(self, spells: list[Spell]) -> int:
        if self.asked.by_date:
            return self._touched(spells)
        return reduce(or_, (self.days.filled(spell.span, self.span) for spell in spells), 0)

    def _otherwise(self, line: Line) -> int:
        if self.asked.claim.state is State.OK:
            return self._touched(list(self.spells[line.network]))
        other = [spell for spell in self.spells[line.network] if spell.seen.state is not self.asked.claim.state]
        return (line.ok & self.wanted | self._touched(other)) & ~self.so[line.network]

    def _touched(self, spells: list[Spell]) -> int:
        parts = [part for spell in spells if (part := cut(spell.span, self.span))]
        return reduce(or_, map(self.days.touched, parts), 0)


def _inside(lines: tuple[Line, ...], span: Span) -> dict[str, tuple[Spell, ...]]:
    return {line.network: tuple(spell for spell in line.spells if cut(spell.span, span)) for line in lines}


def by_measurement(seen: Measured) -> Ruling | None:
    """What measurements settle; None where they settle nothing."""
    return _working(seen) if seen.asked.claim.state is State.OK else _impaired(seen)


def _working(seen: Measured) -> Ruling | None:
    name = seen.asked.service
    if against := seen.refuting(seen.spells_of(*IMPAIRED)):
        text = say("measured.ok.contradicted", service=name, **_spell_parts(seen, against)) + in_part(seen)
        return Ruling(
            Outcome.CONTRADICTED, _best(against, lambda some: bool(seen.refuting(some))), text, _names(against)
        )
    if not seen.is_all_so:
        return None
    count = seen.coverage
    text = say("measured.ok.supported", service=name, all=count.networks_known, results=count.results)
    return Ruling(Outcome.SUPPORTED, seen.grade_of_days(seen.so), text)


def _impaired(seen: Measured) -> Ruling | None:
    claim, name = seen.asked.claim, seen.asked.service
    mine, others = seen.spells_of(claim.state), seen.spells_of(*IMPAIRED - {claim.state})
    if mine and seen.is_all_so:
        text = say("measured.impaired.supported", service=name, **_spell_parts(seen, mine))
        return Ruling(Outcome.SUPPORTED, _best(mine, seen.are_enough), text, _names(mine))
    if not mine and not others and seen.is_all_otherwise:
        count = seen.coverage
        text = say("measured.impaired.contradicted", service=name, all=count.networks_known, results=count.results)
        return Ruling(Outcome.CONTRADICTED, seen.grade_of_days(seen.otherwise), text)
    if others and not mine:
        text = say(
            "measured.impaired.other", service=name, state=_states(others), claimed=claim.state.value,
            incidents=listed(_names(others)),
        )  # fmt: skip
        return Ruling(Outcome.UNDETERMINED, _grade(others), text, _names(others), Reason.OTHER_STATE)
    return None


def partly(seen: Measured) -> Ruling | None:
    """What measurements show of a part of the proposition, where they settle nothing."""
    claim, name = seen.asked.claim, seen.asked.service
    if claim.state is State.OK and seen.all_otherwise:
        spells = seen.spells_of(*IMPAIRED)
        text = say("measured.ok.changed", service=name, **_spell_parts(seen, spells)) + in_part(seen)
        return Ruling(Outcome.UNDETERMINED, _grade(spells), text, _names(spells), Reason.CHANGED)
    if not seen.all_so:
        return _no_block(seen)
    if claim.state is State.OK:
        text = say("measured.ok.part", service=name) + in_part(seen)
        return Ruling(Outcome.UNDETERMINED, seen.grade_of_days(seen.so), text, (), Reason.IN_PART)
    spells = seen.spells_of(claim.state)
    text = say("measured.impaired.part", service=name, **_spell_parts(seen, spells)) + in_part(seen)
    return Ruling(Outcome.UNDETERMINED, _grade(spells), text, _names(spells), Reason.IN_PART)


def _no_block(seen: Measured) -> Ruling | None:
    spells = seen.taken_back()
    if not spells:
        return None
    why = [say(f"kind.{kind.value}") for kind in sorted({spell.incident.kind for spell in spells} & _NONE)]
    names = _names(spells)
    text = say("measured.no_block", why=listed(why), incidents=listed(names))
    return Ruling(Outcome.UNDETERMINED, None, text, names, Reason.NO_BLOCK)


def in_part(seen: Measured) -> Told:
    """For how much it is so, and for how much otherwise; empty where it is so for nothing."""
    shown, known = seen.shown, len(seen.lines)
    if not seen.all_so:
        return Told()
    text = Told()
    if known > 1 and shown.so_on:
        text += say("part.networks", so=len(shown.so_on), all=known, networks=listed(shown.so_on))
    if shown.of_days > 1 and shown.days:
        text += say("part.days", days=shown.days, all=shown.of_days)
    if seen.asked.claim.state is not State.OK:
        if shown.otherwise_on:
            text += say("part.otherwise", service=seen.asked.service, networks=listed(shown.otherwise_on))
        else:
            text += say("part.unknown")
    return text


def _spell_parts(seen: Measured, spells: list[Spell]) -> dict[str, object]:
    networks = sorted({spell.seen.network for spell in spells})
    return {
        "state": _states(spells),
        "hit": len(networks),
        "all": len(seen.networks),
        "networks": listed(networks),
        "incidents": listed(_names(spells)),
    }


def _states(spells: list[Spell]) -> str:
    return " and ".join(sorted({spell.seen.state.value for spell in spells}))


def _names(spells: list[Spell]) -> tuple[str, ...]:
    return tuple(sorted({spell.incident.incident_id for spell in spells}))


def _best(spells: list[Spell], are_enough: Callable[[list[Spell]], bool]) -> Grade:
    """The best grade whose spells are enough by themselves: weaker ones beside them take nothing away."""
    grades = sorted({spell.incident.grade for spell in spells}, key=lambda grade: grade.value)
    return next(
        (grade for grade in grades if are_enough([one for one in spells if one.incident.grade.value <= grade.value])),
        grades[-1],
    )


def _grade(spells: list[Spell]) -> Grade:
    """No better than the weakest of what it rests on."""
    return max((spell.incident.grade for spell in spells), key=lambda grade: grade.value)
