"""The three-part test as a checklist: legality, legitimate aim, necessity and proportionality; answers cite entries.

What the record itself can answer is drawn from it. What needs a judgement, only people answer, in the case folder. That
somebody names a law or an aim is told as their claim, and never as ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from kholo.model import (
    IMPAIRED,
    Answered,
    Case,
    Checked,
    Clock,
    ClockKind,
    Entry,
    EntryKind,
    Incident,
    ReferenceDataError,
)
from kholo.wording import Told, joined, listed, said

from .evidence import Evidence, Finding, accuses, known_end
from .law import statute_name
from .silence import silence
from .spans import midnight
from .wording import say, span

SHIPPED = Path(__file__).with_name("threepart.toml")
#: Whose words say what the state rests on. A court's are such only where the court itself ordered the restriction.
_IN_AUTHORITY = frozenset({"regulator", "government"})
_RULINGS = frozenset({EntryKind.ORDER, EntryKind.STAY, EntryKind.CONTEMPT})


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. `by`: what answers it."""

    id: str
    part: Literal["legality", "legitimate aim", "necessity and proportionality", "remedy"]
    ask: str
    rests_on: str
    by: Literal["basis", "public", "aim", "width", "length", "court", "people"]


class _Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    question: tuple[Question, ...]


@cache
def questions() -> tuple[Question, ...]:
    """The questions, in their order. Raises `ReferenceDataError`."""
    try:
        found = msgspec.convert(tomllib.loads(SHIPPED.read_text(encoding="utf-8")), _Questions)
    except (ValueError, msgspec.ValidationError) as error:
        raise ReferenceDataError(f"{SHIPPED.name}: {error}") from error
    return found.question


class _Said(msgspec.Struct, frozen=True):
    answer: Answered
    says: str
    entries: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()


class _Scope(msgspec.Struct, frozen=True):
    """What the questions are put to: a case, or one incident of it."""

    case: Case
    entries: tuple[Entry, ...]
    incidents: tuple[Incident, ...]
    findings: tuple[Finding, ...]
    clocks: tuple[Clock, ...]
    silence: Clock | None
    as_of: datetime

    @property
    def officials(self) -> list[Entry]:
        """Entries of those in authority."""
        return [entry for entry in self.entries if self.is_in_authority(entry.actor)]

    def is_in_authority(self, actor: str) -> bool:
        """Whether the restriction is this actor's: a regulator or government, or a court that ordered it."""
        ordered = {entry.actor for entry in self.entries if entry.obligation and entry.obligation.state in IMPAIRED}
        return self.role(actor) in _IN_AUTHORITY or actor in ordered

    def role(self, actor: str) -> str:
        """The role of an actor."""
        return next((one.role for one in self.case.actors if one.id == actor), "")

    def name(self, actor: str) -> str:
        """The name of an actor."""
        return next((one.name for one in self.case.actors if one.id == actor), actor)


def checklist(
    case: Case, incidents: Sequence[Incident], clocks: Sequence[Clock], as_of: datetime
) -> tuple[Checked, ...]:
    """Every question with its answer: for the case, then for each incident that accuses, by onset."""
    mine = sorted(
        (item for item in incidents if accuses(item) and (item.service, item.place) == (case.service, case.place)),
        key=lambda item: (item.onset, item.incident_id),
    )
    evidence = Evidence(case, mine, ())
    found = [item for item in evidence.findings() if item.claim.state in IMPAIRED and item.claim.start < as_of]
    known = tuple(entry for entry in sorted(case.entries, key=_when) if midnight(entry.earliest) <= as_of)
    whole = _Scope(
        case, known, tuple(mine), tuple(found), tuple(clocks), next(iter(silence(evidence, mine, as_of)), None), as_of
    )
    rows = [_checked(question, whole, None) for question in questions()]
    for incident in mine if len(mine) > 1 else ():
        since = incident.onset.earliest.date()
        later = tuple(entry for entry in known if entry.latest >= since)
        alone = Evidence(msgspec.structs.replace(case, entries=later), [incident], ())
        quiet = next(iter(silence(alone, [incident], as_of)), None)
        scope = _Scope(case, later, (incident,), (), tuple(clocks), quiet, as_of)
        rows += [_checked(question, scope, incident.incident_id) for question in questions() if question.by != "people"]
    return tuple(rows)


def _when(entry: Entry) -> tuple[object, ...]:
    return entry.earliest, entry.id


def _checked(question: Question, scope: _Scope, incident: str | None) -> Checked:
    given = next((one for one in scope.case.answers if one.question == question.id), None) if incident is None else None
    found = _Said(given.answer, given.says, given.entries) if given else _ANSWERS[question.by](scope)
    return Checked(
        question=question.id,
        part=question.part,
        ask=question.ask,
        rests_on=question.rests_on,
        answer=found.answer,
        says=str(found.says),
        entries=tuple(sorted(found.entries)),
        incidents=tuple(sorted(found.incidents)),
        incident_id=incident,
        by_people=given is not None,
        told=said(found.says),
    )


def _basis(scope: _Scope) -> _Said:
    named = {
        (basis.statute, basis.section or "", basis.claimed_by or entry.actor, entry.id): None
        for entry in scope.entries
        for basis in entry.legal_basis
        if scope.is_in_authority(basis.claimed_by or entry.actor)
    }
    if not named:
        reasons = tuple(entry.id for entry in scope.officials if entry.gives_reason)
        return _Said(Answered.NONE_FOUND, say("test.basis.none"), reasons)
    laws = joined(
        say(
            "test.law.next" if place else "test.law",
            law=statute_name(law),
            section=say("test.law.section", section=section) if section else Told(),
            actor=scope.name(who),
            entry=entry,
        )
        for place, (law, section, who, entry) in enumerate(named)
    )
    return _Said(Answered.CLAIMED, say("test.basis", laws=laws), tuple({entry for *_, entry in named}))


def _public(scope: _Scope) -> _Said:
    clock = scope.silence
    if clock is None:
        return _open(scope)
    incidents = tuple(item.incident_id for item in scope.incidents if item.incident_id == clock.entry_id)
    entries = tuple(name for name in clock.evidence if name not in incidents)
    if clock.stopped is None:
        return _Said(
            Answered.NONE_FOUND, say("test.public.none", days=clock.days, start=clock.entry_id), entries, incidents
        )
    text = say("test.public", entry=clock.evidence[-1], days=clock.days, start=clock.entry_id)
    return _Said(Answered.SHOWN, text, entries, incidents)


def _aim(scope: _Scope) -> _Said:
    given = [entry for entry in scope.officials if entry.gives_reason or entry.kind is EntryKind.JUSTIFICATION]
    if not given:
        return _Said(Answered.NONE_FOUND, say("test.aim.none"))
    aims = joined(
        say(
            "test.reason.next" if place else "test.reason",
            title=entry.title, actor=scope.name(entry.actor), entry=entry.id,
        )
        for place, entry in enumerate(given)
    )  # fmt: skip
    return _Said(Answered.CLAIMED, say("test.aim", aims=aims), tuple(entry.id for entry in given))


def _width(scope: _Scope) -> _Said:
    if scope.incidents:
        networks = sorted({name for item in scope.incidents for name in item.networks})
        names = tuple(sorted(item.incident_id for item in scope.incidents))
        text = say("test.width.measured", networks=listed(networks), incidents=listed(names))
        return _Said(Answered.SHOWN, text, (), names)
    wide = tuple(sorted(item.entry.id for item in scope.findings if not item.claim.networks))
    return _Said(Answered.SHOWN, say("test.width.found", entries=listed(wide)), wide) if wide else _open(scope)


def _length(scope: _Scope) -> _Said:
    if scope.incidents:
        start = min(item.onset.latest for item in scope.incidents)
        ends = [known_end(spell) for item in scope.incidents for spell in item.spells]
        lasts = any(item.end is None for item in scope.incidents)
        names = tuple(sorted(item.incident_id for item in scope.incidents))
        return _long(start, scope.as_of if lasts else max(ends), lasts, (), names)
    if not scope.findings:
        return _open(scope)
    best = min(item.grade for item in scope.findings)
    mine = [item for item in scope.findings if item.grade is best]
    longest = max(mine, key=lambda item: (item.claim.end - item.claim.start, item.entry.id))
    end = min(longest.claim.end, scope.as_of)
    return _long(longest.claim.start, end, longest.claim.end > scope.as_of, (longest.entry.id,), ())


def _long(start: datetime, end: datetime, lasts: bool, entries: tuple[str, ...], incidents: tuple[str, ...]) -> _Said:
    days, names = (end - start).days, listed((*entries, *incidents))
    if lasts:
        text = say("test.length.lasting", days=days, start=start.date(), evidence=names)
    else:
        text = say("test.length.ended", days=days, span=span(start, end), evidence=names)
    return _Said(Answered.SHOWN, text, entries, incidents)


def _court(scope: _Scope) -> _Said:
    rulings = [entry for entry in scope.entries if entry.kind in _RULINGS and scope.role(entry.actor) == "court"]
    if not rulings:
        return _Said(Answered.NONE_FOUND, say("test.court.none"))
    names = tuple(entry.id for entry in rulings)
    told = joined(
        say("test.court.days", entry=clock.entry_id, days=clock.days)
        for clock in scope.clocks
        if clock.clock is ClockKind.COMPLIANCE and clock.network is None and clock.entry_id in names and clock.days
    )
    return _Said(Answered.SHOWN, say("test.court", entries=listed(names), clock=told), names)


def _open(_scope: _Scope) -> _Said:
    return _Said(Answered.OPEN, say("test.unknown"))


_ANSWERS: dict[str, Callable[[_Scope], _Said]] = {
    "basis": _basis,
    "public": _public,
    "aim": _aim,
    "width": _width,
    "length": _length,
    "court": _court,
    "people": _open,
}
