"""A proposition set against published findings, the stronger grade first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

import msgspec

from kholo.model import IMPAIRED, Entry, EntryKind, Grade, Outcome, Reason, State
from kholo.wording import Told, listed

from .evidence import Evidence, Finding, is_about, reaches
from .measured import Asked, Measured, Ruling
from .spans import Days, cut, speaks_against_ok
from .wording import say, span


class _Side(msgspec.Struct, frozen=True):
    """Findings of one grade. `so` and `otherwise` are the days on which they say so, as bits."""

    grade: Grade
    support: tuple[Finding, ...]
    against: tuple[Finding, ...]
    so: int
    otherwise: int


class Published:
    """What the findings of others say of a proposition, grade by grade."""

    def __init__(self, asked: Asked, evidence: Evidence, entry: Entry) -> None:
        self.asked, self.entry = asked, entry
        self._days: Days = evidence.days
        self.span = asked.span
        self.wanted = self._days.touched(self.span)
        self.about = [one for one in evidence.findings(entry) if self._is_about(one)]
        grades = (Grade.C, Grade.D)
        self.sides = tuple(self._side(grade) for grade in grades if any(one.grade is grade for one in self.about))

    def _is_about(self, finding: Finding) -> bool:
        return is_about(finding.claim, self.asked.claim) and cut(finding.span, self.span) is not None

    def _side(self, grade: Grade) -> _Side:
        mine = [one for one in self.about if one.grade is grade]
        worked = [one for one in mine if one.claim.state is State.OK]
        if self.asked.claim.state is State.OK:
            wide = [one for one in worked if reaches(one.claim, self.asked.claim)]
            impaired = [one for one in mine if one.claim.state in IMPAIRED]
            return _Side(
                grade, tuple(wide), tuple(self._refuting(impaired)), self._filled(wide), self._touched(impaired)
            )
        same = [one for one in mine if one.claim.state is self.asked.claim.state]
        wide = [one for one in same if reaches(one.claim, self.asked.claim)]
        said = self._touched(wide) if self.asked.by_date else self._filled(wide)
        return _Side(grade, tuple(wide), tuple(worked), said, self._filled(worked))

    def _refuting(self, impaired: list[Finding]) -> list[Finding]:
        if self.asked.is_one_day:
            return impaired if self._filled(impaired) == self.wanted else []
        return [one for one in impaired if speaks_against_ok(one.span, self.span, self.asked.by_date)]

    def undisputed(self, side: _Side, so: int) -> tuple[Finding, ...]:
        """Those against "it worked" of days of which nothing better says that it did (`so`), if they are enough."""
        left = [one for one in side.against if not self._touched([one]) & so]
        return tuple(self._refuting(left))

    def _filled(self, findings: Iterable[Finding]) -> int:
        return reduce(or_, (self._days.filled(one.span, self.span) for one in findings), 0) & self.wanted

    def _touched(self, findings: Iterable[Finding]) -> int:
        parts = [part for one in findings if (part := cut(one.span, self.span))]
        return reduce(or_, map(self._days.touched, parts), 0)


def by_findings(said: Published, seen: Measured) -> Ruling | None:
    """What findings settle. Those of one grade that disagree settle nothing, nor do those that better evidence denies.

    Better evidence that says otherwise of a part keeps worse from bearing a claim out, not from contradicting it.
    """
    so, otherwise = seen.all_so, seen.all_otherwise
    first: Ruling | None = None
    for side in said.sides:
        ruling = _by_grade(said, side, seen, so, otherwise)
        if ruling and ruling.outcome is not Outcome.UNDETERMINED:
            return ruling
        first = first or ruling
        so, otherwise = so | side.so, otherwise | side.otherwise
    return first


def _by_grade(said: Published, side: _Side, seen: Measured, so: int, otherwise: int) -> Ruling | None:
    """`so` and `otherwise`: the days of which better evidence says so, and otherwise."""
    claims_ok = said.asked.claim.state is State.OK
    supports = side.so == said.wanted
    denies = bool(side.against) if claims_ok else side.otherwise == said.wanted
    if not supports and not denies:
        return None
    if denies and not supports and said.entry.kind is EntryKind.FINDING:
        # A finding of a long block does not exclude a brief return that another finding reports.
        names = _names(side.against)
        return _undetermined(side.grade, say("disagree.other", entries=listed(names)), names)
    if supports and (denies or side.otherwise):
        names = _names([*side.support, *side.against])
        return _undetermined(side.grade, say("disagree", entries=listed(names)), names)
    if denies and claims_ok and (left := said.undisputed(side, so)):
        return _settled(said, msgspec.structs.replace(side, against=left), supports, seen)
    if (supports and otherwise) or (denies and so & side.otherwise):
        names = _names(side.support if supports else side.against)
        return _undetermined(side.grade, say("disagree.better", entries=listed(names)), names)
    return _settled(said, side, supports, seen)


def _undetermined(grade: Grade, text: Told, names: tuple[str, ...]) -> Ruling:
    return Ruling(Outcome.UNDETERMINED, grade, text, names, Reason.DISAGREE)


def _settled(said: Published, side: _Side, supports: bool, seen: Measured) -> Ruling:
    mine = side.support if supports else side.against
    widest = max(mine, key=lambda one: (one.claim.end - one.claim.start, one.entry.id))
    names = _names(mine)
    where = widest.claim.networks
    parts = {
        "who": say(f"who.{side.grade.value.lower()}"),
        "service": said.asked.service,
        "state": widest.claim.state.value,
        "span": span(widest.claim.start, min(widest.claim.end, said.asked.as_of)),
        "entries": listed(names),
    }
    claims_ok = said.asked.claim.state is State.OK
    if claims_ok:
        text = (
            say("found.ok.supported", **_but(parts, "state", "span"))
            if supports
            else say("found.ok.contradicted", **parts)
        )
    else:
        text = (
            say("found.impaired.supported", **parts)
            if supports
            else say("found.impaired.contradicted", **_but(parts, "state", "span"))
        )
    if where and not supports:
        text += say("found.on", networks=listed(where))
    outcome = Outcome.SUPPORTED if supports else Outcome.CONTRADICTED
    return Ruling(outcome, side.grade, text + _unmeasured(seen), names)


def _but(parts: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in parts.items() if name not in names}


def _unmeasured(seen: Measured) -> Told:
    """That nothing was measured in that time, where it is so."""
    return say("unmeasured") if not seen.coverage.results and not seen.networks else Told()


def partly_found(said: Published) -> Ruling | None:
    """What findings say of a part of the proposition, where they settle nothing."""
    state = said.asked.claim.state
    same = [one for one in said.about if one.claim.state is state]
    if not same:
        return None
    names = _names(same)
    days = reduce(or_, (side.so for side in said.sides), 0).bit_count()
    text = say("found.partial", entries=listed(names), days=days, all=said.wanted.bit_count())
    partial = [one.claim for one in same if not reaches(one.claim, said.asked.claim)]
    narrow = sorted({network for claim in partial for network in claim.networks})
    if narrow:
        text += say("found.narrow", networks=listed(narrow))
    return Ruling(Outcome.UNDETERMINED, min(one.grade for one in same), text, names, Reason.IN_PART)


def beside(said: Published, ruling: Ruling) -> tuple[str, ...]:
    """The findings that say otherwise of a part of the time, and do not decide."""
    if ruling.outcome is Outcome.UNDETERMINED and ruling.reason is not Reason.IN_PART:
        return ()
    supported = ruling.outcome is not Outcome.CONTRADICTED
    is_ok = (said.asked.claim.state is State.OK) == supported
    found = [one for one in said.about if (one.claim.state in IMPAIRED if is_ok else one.claim.state is State.OK)]
    return tuple(name for name in _names(found) if name not in ruling.evidence)


def _names(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({one.entry.id for one in findings}))
