"""Propositions set against the evidence, the strongest grade first. No coverage never reads as "it worked"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kholo.model import Assessment, Case, DayState, Entry, Extent, Incident, Outcome, Proposition, Reason
from kholo.reference.places import place_name
from kholo.wording import Told, listed

from .evidence import Evidence, Finding
from .measured import Asked, Measured, Ruling, by_measurement, partly
from .published import Published, beside, by_findings, partly_found
from .spans import midnight
from .wording import say, span


def assess(
    case: Case, incidents: Iterable[Incident], days: Iterable[DayState], as_of: datetime, service_name: str = ""
) -> tuple[Assessment, ...]:
    """One assessment for each entry with a proposition that was made by then, sorted by date, then entry id.

    Measurements (grades A, B) decide where they can; else the findings of measurement bodies (C); else press and users
    (D). A lower grade never overrides a higher one, and nobody is evidence for themselves. Of incidents, only those
    that say that somebody came between are held against anyone. `as_of` is UTC; `service_name` is what sentences call
    the service (its id, where it is empty).
    """
    evidence = Evidence(case, incidents, days)
    gone = _retractions(case, as_of)
    done = [
        _assess(evidence, entry, _asked(case, entry, entry.proposition, as_of, service_name), gone.get(entry.id, ()))
        for entry in case.entries
        if entry.proposition and midnight(entry.earliest) <= as_of
    ]
    return tuple(sorted(done, key=lambda item: (item.date, item.entry_id)))


def _retractions(case: Case, as_of: datetime) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for entry in case.entries:
        if midnight(entry.earliest) <= as_of:
            for name in entry.retracts:
                found.setdefault(name, []).append(entry.id)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def _asked(case: Case, entry: Entry, claim: Proposition, as_of: datetime, name: str) -> Asked:
    service = name if name and claim.service == case.service else claim.service
    days = midnight(entry.earliest), midnight(entry.latest) + timedelta(1)
    # What was said on a day that nobody knows, of "now": it is of one of the days on which it may have been said.
    is_one_day = entry.earliest < entry.latest and (claim.start, claim.end) == days
    return Asked(claim, as_of, service, is_one_day)


def _assess(evidence: Evidence, entry: Entry, asked: Asked, retracted_by: tuple[str, ...]) -> Assessment:
    seen, said = Measured(asked, evidence), Published(asked, evidence, entry)
    ruling = _in_time(asked, _ruling(asked, seen, said, evidence, entry))
    more = beside(said, ruling)
    text = ruling.because
    text += say("beside", entries=listed(more)) if more else Told()
    text += say("retracted", entries=listed(retracted_by)) if retracted_by else Told()
    count, checked = seen.coverage, _checked(asked)
    return Assessment(
        entry_id=entry.id,
        kind=entry.kind,
        date=entry.earliest,
        outcome=ruling.outcome,
        grade=ruling.grade,
        because=str(text).strip(),
        said=text.said,
        evidence=ruling.evidence,
        results=count.results,
        networks=count.networks,
        reason=ruling.reason,
        extent=_extent(ruling, seen, more),
        coverage=count,
        shown=seen.shown,
        beside=more,
        retracted_by=retracted_by,
        checked=str(checked),
        asked=checked.said,
    )


def _checked(asked: Asked) -> Told:
    claim = asked.claim
    where = say("checked.networks", networks=listed(claim.networks)) if claim.networks else say("checked.place")
    when = span(claim.start, claim.end)
    parts = {"service": asked.service, "state": say(f"state.{claim.state.value}"), "place": place_name(claim.place)}
    if asked.is_one_day:
        return say("checked.one_day", **parts, networks=where, span=when)
    return say("checked", **parts, networks=where, span=when)


def _ruling(asked: Asked, seen: Measured, said: Published, evidence: Evidence, entry: Entry) -> Ruling:
    if asked.claim.start >= asked.as_of:
        return Ruling(Outcome.UNDETERMINED, None, say("later"), (), Reason.NOT_OVER)
    settled = by_measurement(seen) or by_findings(said, seen)
    if settled and settled.outcome is not Outcome.UNDETERMINED:
        return settled
    found = settled or partly(seen) or partly_found(said) or _nothing(asked, seen, evidence, entry)
    text = found.because + _coverage(seen)
    return Ruling(found.outcome, found.grade, text, found.evidence, found.reason)


def _in_time(asked: Asked, ruling: Ruling) -> Ruling:
    """What is claimed of a time that is not over can be contradicted, and not yet be borne out."""
    if ruling.outcome is not Outcome.SUPPORTED or asked.is_over:
        return ruling
    text = ruling.because + say("not_over")
    return Ruling(Outcome.UNDETERMINED, ruling.grade, text, ruling.evidence, Reason.NOT_OVER)


def _extent(ruling: Ruling, seen: Measured, more: tuple[str, ...]) -> Extent | None:
    if ruling.outcome is Outcome.UNDETERMINED:
        return Extent.PART if ruling.reason is Reason.IN_PART else None
    shown = seen.shown
    is_split = ruling.outcome is Outcome.CONTRADICTED and bool(shown.so_on or shown.days or more)
    return Extent.PART if is_split else Extent.WHOLE


def _coverage(seen: Measured) -> Told:
    count = seen.coverage
    if not count.results and not count.networks:
        return say("coverage.none")
    return say(
        "coverage", results=count.results, networks=count.networks, known=count.networks_known, covered=count.covered,
        wanted=count.wanted,
    )  # fmt: skip


def _nothing(asked: Asked, seen: Measured, evidence: Evidence, entry: Entry) -> Ruling:
    if seen.coverage.results or seen.networks:
        return Ruling(Outcome.UNDETERMINED, None, say("below_floor"), (), Reason.BELOW_FLOOR)
    text = say("none")
    if others := evidence.findings(entry):
        near = min(others, key=lambda finding: (_distance(finding, asked.claim), finding.entry.id))
        claim = near.claim
        text += say("nearest", entry=near.entry.id, state=claim.state.value, span=span(claim.start, claim.end))
    return Ruling(Outcome.UNDETERMINED, None, text, (), Reason.NO_COVERAGE)


def _distance(finding: Finding, claim: Proposition) -> float:
    after = (finding.claim.start - claim.end).total_seconds()
    before = (claim.start - finding.claim.end).total_seconds()
    return max(after, before, 0.0)
