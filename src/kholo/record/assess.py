"""Propositions set against the evidence, the strongest grade first. No coverage never reads as "it worked"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kholo.model import (
    IMPAIRED,
    Assessment,
    Case,
    DayState,
    Entry,
    EntryKind,
    Grade,
    Incident,
    NetworkSpell,
    Outcome,
    Proposition,
    State,
)

from .evidence import Finding, Measured, covers, findings, is_about, measured
from .wording import say, span

_Judged = tuple[Outcome, Grade | None, str, tuple[str, ...]]


def assess(
    case: Case, incidents: Sequence[Incident], days: Sequence[DayState], as_of: datetime, service_name: str = ""
) -> tuple[Assessment, ...]:
    """One assessment for each entry with a proposition, sorted by date, then entry id.

    Measurements (grades A, B) decide where they can; else the findings of measurement bodies (C); else press and users
    (D). A lower grade never overrides a higher one, and an entry is never evidence for itself. `as_of` is UTC;
    `service_name` is what sentences call the service (its id, where it is empty).
    """
    done = [
        _assess(case, entry, entry.proposition, incidents, days, as_of) for entry in case.entries if entry.proposition
    ]
    done = [_with_name(item, case.service, service_name or case.service) for item in done]
    return tuple(sorted(done, key=lambda item: (item.date, item.entry_id)))


def _with_name(item: Assessment, service: str, name: str) -> Assessment:
    return msgspec.structs.replace(item, because=item.because.replace(f"{{{service}}}", name))


def _assess(
    case: Case,
    entry: Entry,
    claim: Proposition,
    incidents: Sequence[Incident],
    days: Sequence[DayState],
    as_of: datetime,
) -> Assessment:
    seen = measured(claim, incidents, days, as_of)
    outcome, grade, because, evidence = _decide(case, entry, claim, seen, as_of)
    return Assessment(
        entry_id=entry.id,
        kind=entry.kind,
        date=entry.earliest,
        outcome=outcome,
        grade=grade,
        because=because,
        evidence=tuple(sorted(set(evidence))),
        results=seen.results,
        networks=len(seen.networks),
    )


def _decide(case: Case, entry: Entry, claim: Proposition, seen: Measured, as_of: datetime) -> _Judged:
    if claim.start >= as_of:
        return Outcome.UNDETERMINED, None, say("later"), ()
    if by_measurement := _by_measurement(claim, seen):
        return by_measurement
    if seen.results:
        # Something was measured, and did not settle it: findings of others may still, with their own grade.
        partial = _partial(seen)
        by_finding = _by_findings(case, entry, claim, unmeasured="")
        return by_finding or (Outcome.UNDETERMINED, None, partial, ())
    by_finding = _by_findings(case, entry, claim, unmeasured=say("unmeasured"))
    return by_finding or (Outcome.UNDETERMINED, None, _nothing(case, entry, claim), ())


def _in_part(claim: Proposition, about: list[Finding]) -> str:
    """The ids of findings that say the same, of a part of the time only."""
    return ", ".join(_names([finding for finding in about if finding.claim.state is claim.state]))


def _by_measurement(claim: Proposition, seen: Measured) -> _Judged | None:
    claims_ok = claim.state is State.OK
    hit = [pair for pair in seen.spells if claims_ok or pair[1].state is claim.state]
    if seen.is_all_ok:
        grade = Grade.A if all(day.raw for day in seen.days) else Grade.B
        key, outcome = (
            ("ok.supported", Outcome.SUPPORTED) if claims_ok else ("impaired.contradicted", Outcome.CONTRADICTED)
        )
        parts = {"service": f"{{{claim.service}}}", "all": len(seen.networks), "results": seen.results}
        return outcome, grade, say(f"measured.{key}", **parts), ()
    if not seen.spells:
        return None
    names = tuple(sorted({incident.incident_id for incident, _ in (hit or seen.spells)}))
    grade = max((incident.grade for incident, _ in (hit or seen.spells)), key=lambda item: item.value)
    if not hit:
        other = seen.spells[0][1].state
        text = say(
            "measured.impaired.other",
            service=f"{{{claim.service}}}", state=other.value, claimed=claim.state.value, incidents=", ".join(names),
        )  # fmt: skip
        return Outcome.UNDETERMINED, grade, text, names
    networks = sorted({spell.network for _, spell in hit})
    text = say(
        "measured.ok.contradicted" if claims_ok else "measured.impaired.supported",
        service=f"{{{claim.service}}}",
        state=" and ".join(sorted({spell.state.value for _, spell in hit})),
        hit=len(networks),
        all=len(seen.networks),
        networks=", ".join(networks),
        incidents=", ".join(names),
        part=_part(claim, hit),
    )
    return (Outcome.CONTRADICTED if claims_ok else Outcome.SUPPORTED), grade, text, names


def _part(claim: Proposition, hit: list[tuple[Incident, NetworkSpell]]) -> str:
    whole = all(
        spell.onset.latest <= claim.start and (spell.end is None or spell.end.earliest >= claim.end) for _, spell in hit
    )
    return "all of" if whole else "part of"


def _partial(seen: Measured) -> str:
    decided = sum(day.state is not State.INSUFFICIENT for day in seen.days)
    return say("partial", covered=decided, wanted=seen.wanted, results=seen.results)


def _by_findings(case: Case, entry: Entry, claim: Proposition, unmeasured: str) -> _Judged | None:
    """What published findings settle, the stronger grade first; findings of one grade that disagree settle nothing."""
    about = [finding for finding in findings(case, entry.id) if is_about(finding, claim)]
    for grade in (Grade.C, Grade.D):
        mine = [finding for finding in about if finding.grade is grade]
        support, against = _sides(claim, mine)
        if (support and against) or (against and entry.kind is EntryKind.FINDING):
            # A finding of a long block does not exclude a brief return that another finding reports.
            names = _names(support + against)
            return Outcome.UNDETERMINED, grade, say("disagree", entries=", ".join(names), unmeasured=unmeasured), names
        if support or against:
            return _found(claim, support or against, bool(support), grade, unmeasured)
    return None


def _sides(claim: Proposition, mine: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Findings for and against: "worked" must cover all of the time, "impaired" in any of it speaks against it."""
    worked = [finding for finding in mine if finding.claim.state is State.OK and covers(finding, claim)]
    if claim.state is State.OK:
        return worked, [finding for finding in mine if finding.claim.state in IMPAIRED]
    same = [finding for finding in mine if finding.claim.state is claim.state]
    return [finding for finding in same if covers(finding, claim)], worked


def _found(claim: Proposition, mine: list[Finding], supports: bool, grade: Grade, unmeasured: str) -> _Judged:
    widest = max(mine, key=lambda finding: (finding.claim.end - finding.claim.start, finding.entry.id))
    names = _names(mine)
    side = "ok" if claim.state is State.OK else "impaired"
    text = say(
        f"found.{side}.{'supported' if supports else 'contradicted'}",
        service=f"{{{claim.service}}}",
        state=widest.claim.state.value,
        span=span(widest.claim.start, widest.claim.end),
        entries=", ".join(names),
        unmeasured=unmeasured,
    )
    return (Outcome.SUPPORTED if supports else Outcome.CONTRADICTED), grade, text, names


def _names(mine: list[Finding]) -> tuple[str, ...]:
    return tuple(sorted(finding.entry.id for finding in mine))


def _nothing(case: Case, entry: Entry, claim: Proposition) -> str:
    others = findings(case, entry.id)
    if part := _in_part(claim, [finding for finding in others if is_about(finding, claim)]):
        return say("found.partial", entries=part)
    if not others:
        return say("none", nearest="")
    near = min(others, key=lambda finding: (_distance(finding, claim), finding.entry.id))
    where = say("nearest", entry=near.entry.id, span=span(near.claim.start, near.claim.end))
    return say("none", nearest=where)


def _distance(finding: Finding, claim: Proposition) -> float:
    after = (finding.claim.start - claim.end).total_seconds()
    before = (claim.start - finding.claim.end).total_seconds()
    return max(after, before, 0.0)
