"""The answer to a case in a sentence, worked out from the evidence and never more than it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from kholo.model import Entry, EntryKind, Grade, Incident, State
from kholo.reference.places import place_name

from .dates import bracket, day, last_day, stretch
from .spans import DECISIVE, union
from .view import CaseView
from .words import GRADE, count, listed

_WORD = {State.BLOCKED: "blocked", State.THROTTLED: "throttled"}
_INVENTED = "In this simulation: "

#: The state's word, and where and when.
_Clause = tuple[str, str]


class Basis(StrEnum):
    """What an answer rests on."""

    MEASURED = "measured"
    PUBLISHED = "published"
    NONE = "none"


class Answer(msgspec.Struct, frozen=True):
    """`sentence` stands at the top of the page, `more` are the qualifications that belong with it.

    `state` is the state that the sentence claims; `insufficient` when it claims none.
    """

    sentence: str
    more: tuple[str, ...]
    basis: Basis
    state: State
    grade: Grade | None


def answer(view: CaseView) -> Answer:
    """Measured incidents first, then published findings, then what was seen of working days, then nothing."""
    measured = _measured(view)
    published = _published(view)
    if measured:
        return measured if not published else _with_more(measured, _findings_also(published))
    if published:
        return _with_more(published, _reachable(view))
    seen = _reachable(view)
    if seen:
        return Answer(_simulation(view, seen[0]), seen[1:], Basis.MEASURED, State.OK, None)
    nothing = f"There is not enough data to say whether {view.service} was blocked in {place_name(view.case.place)}."
    return Answer(_simulation(view, nothing), _down(view), Basis.NONE, State.INSUFFICIENT, None)


def case_incidents(view: CaseView) -> list[Incident]:
    """The incidents of the case's own service and place, by onset."""
    return _of_case(view, view.incidents)


def taken_back(view: CaseView) -> list[Incident]:
    """The case's own that looked like a block and are none, by onset."""
    return _of_case(view, view.others.taken_back)


def _of_case(view: CaseView, incidents: Iterable[Incident]) -> list[Incident]:
    case = view.case
    own = [row for row in incidents if row.service == case.service and row.place == case.place]
    return sorted(own, key=lambda row: (row.onset, row.incident_id))


def standing_findings(view: CaseView) -> list[Entry]:
    """Findings on the case's service and place that say something checkable and were not retracted."""
    case = view.case
    retracted = {identifier for entry in case.entries for identifier in entry.retracts}
    return [
        entry
        for entry in case.entries
        if entry.kind is EntryKind.FINDING
        and entry.id not in retracted
        and entry.proposition is not None
        and (entry.proposition.service, entry.proposition.place) == (case.service, case.place)
    ]


def _measured(view: CaseView) -> Answer | None:
    incidents = case_incidents(view)
    groups = [(state, [row for row in incidents if row.state is state]) for state in _WORD]
    groups = [(state, rows) for state, rows in groups if rows]
    if not groups:
        return None
    grade = max(row.grade for row in incidents if row.state in _WORD)
    clauses = [_measured_clause(view, state, rows) for state, rows in groups]
    basis = "recomputed from raw measurements" if grade is Grade.A else GRADE[grade]
    used = f"{view.measurements:,} used"
    joined = f"{view.service} was {_joined(view, clauses)} (grade {grade}, {basis}; {used})."
    more = tuple(_bracket_note(row) for row in incidents if row.state in _WORD)[:4]
    return Answer(_simulation(view, joined), more, Basis.MEASURED, groups[0][0], grade)


def _measured_clause(view: CaseView, state: State, rows: Sequence[Incident]) -> _Clause:
    networks = {network for row in rows for network in row.networks}
    first = min(row.onset.latest for row in rows).date()
    open_rows = [row for row in rows if row.end is None]
    ends = [row.end.earliest for row in rows if row.end]
    last = max(row.last_seen for row in open_rows).date() if open_rows else max(ends).date()
    measured = networks | {row.network for row in view.days if row.state in DECISIVE and first <= row.day <= last}
    on = f"on {len(networks)} of {count(len(measured), 'measured network')}"
    if open_rows:
        when = f"from {day(first)} on, and still was when last measured on {day(last)}"
    elif len(rows) > 1:
        when = f"in {len(rows)} separate incidents between {day(first)} and {day(last)}"
    else:
        when = f"from {day(first)} to {day(last)}" if first != last else f"on {day(first)}"
    if open_rows and len(rows) > 1:
        when = f"in {len(rows)} separate incidents {when}"
    uneven = "" if len(rows) > 1 or _even(rows[0]) else ", not on all of them for the whole time"
    return _WORD[state], f"{on} {when}{uneven}"


def _even(incident: Incident) -> bool:
    """True when every network was affected over the whole incident, give or take a day."""
    last = incident.end.earliest if incident.end else incident.last_seen
    per_network: dict[str, list[tuple[date, date]]] = {}
    for spell in incident.spells:
        end = spell.end.earliest if spell.end else spell.last_seen
        per_network.setdefault(spell.network, []).append((spell.onset.latest.date(), end.date()))
    first_day, end_day = incident.onset.latest.date(), last.date()
    return all(
        len(spans) == 1 and abs((spans[0][0] - first_day).days) <= 1 and abs((end_day - spans[0][1]).days) <= 1
        for spans in per_network.values()
    )


def _bracket_note(row: Incident) -> str:
    onset = f"{_WORD[row.state].capitalize()}: onset {bracket(row.onset)}"
    if row.end is None:
        return f"{onset}; no end was measured."
    return f"{onset}; end {bracket(row.end)}."


def _published(view: CaseView) -> Answer | None:
    findings = standing_findings(view)
    groups = [(state, [e for e in findings if e.proposition and e.proposition.state is state]) for state in _WORD]
    groups = [(state, rows) for state, rows in groups if rows]
    if not groups:
        return None
    grade = min(finding_grade(view, entry) for _, rows in groups for entry in rows)
    kept = [(s, [e for e in rows if finding_grade(view, e) is grade]) for s, rows in groups]
    kept = [(state, rows) for state, rows in kept if rows]
    clauses = [_published_clause(state, rows) for state, rows in kept]
    source = "published findings" if grade is Grade.C else "press and user reports"
    own = (
        "no raw measurements are in this store yet"
        if not view.measurements
        else f"no incident was found in the {count(view.measurements, 'measurement')} of this store"
    )
    sentence = f"{view.service} was {_joined(view, clauses)}, by {source} (grade {grade}); {own}."
    more = _against(view, findings, [entry for _, rows in kept for entry in rows])
    return Answer(_simulation(view, sentence), more, Basis.PUBLISHED, kept[0][0], grade)


def _published_clause(state: State, rows: Iterable[Entry]) -> _Clause:
    every = [entry.proposition for entry in rows if entry.proposition]
    # A finding on some networks says nothing of the place: it counts only where nobody speaks of the place.
    propositions = [p for p in every if not p.networks] or every
    spans = union((p.start, p.end) for p in propositions)
    if not spans:
        return _WORD[state], ""
    first, last = spans[0][0].date(), last_day(spans[-1][1])
    networks = {network for p in propositions for network in p.networks}
    on = f"on {count(len(networks), 'network')} " if networks else ""
    if len(spans) > 1:
        return _WORD[state], f"{on}in {len(spans)} separate stretches between {day(first)} and {day(last)}"
    when = f"from {day(first)} to {day(last)}" if first != last else f"on {day(first)}"
    return _WORD[state], f"{on}{when}"


def _against(view: CaseView, findings: Iterable[Entry], impaired: Iterable[Entry]) -> tuple[str, ...]:
    """The standing findings that say `ok` of a time that others call blocked or throttled, with their grades."""
    bad = [entry.proposition for entry in impaired if entry.proposition]
    said = [
        f"{stretch(claim.start.date(), last_day(claim.end))} (grade {finding_grade(view, entry)})"
        for entry in findings
        if (claim := entry.proposition) and claim.state is State.OK
        if any(claim.start < other.end and other.start < claim.end for other in bad)
    ]
    if not said:
        return ()
    return (f"Not all findings agree: others report that it was reachable, for some at least, on {listed(said)}.",)


def finding_grade(view: CaseView, entry: Entry) -> Grade:
    """C for a measurement body's finding, D for anybody else's; the actor's role decides."""
    roles = {actor.id: actor.role for actor in view.case.actors}
    return Grade.C if roles.get(entry.actor) == "measurement-body" else Grade.D


def _findings_also(published: Answer) -> tuple[str, ...]:
    claim = published.sentence.rpartition("; ")[0].removeprefix(_INVENTED)
    return (f"Beside that, not recomputed here: {claim}.", *published.more)


def _reachable(view: CaseView) -> tuple[str, ...]:
    """What was seen of working days, as long as no incident was found; empty when nothing was."""
    fine = [row for row in view.days if row.state is State.OK]
    if not fine:
        return ()
    first, last = min(row.day for row in fine), max(row.day for row in fine)
    networks = count(len({row.network for row in fine}), "network")
    days = count(len({row.day for row in fine}), "day")
    when = f"between {day(first)} and {day(last)}" if first != last else f"on {day(first)}"
    seen = (
        f"{view.service} was reachable in {place_name(view.case.place)} on {networks} {when}, on the {days} with "
        "enough data; no incident was found in the measurements."
    )
    return (seen, *_down(view))


def _down(view: CaseView) -> tuple[str, ...]:
    days = {row.day for row in view.days if row.state is State.DOWN}
    if not days:
        return ()
    return (f"On {count(len(days), 'day')} it could not be reached, with no sign of interference.",)


def _joined(view: CaseView, clauses: Sequence[_Clause]) -> str:
    """`blocked in Pakistan on … and throttled on …`: the place stands once."""
    word, rest = clauses[0]
    first = f"{word} in {place_name(view.case.place)} {rest}".rstrip()
    return " and ".join([first, *(f"{word} {rest}".rstrip() for word, rest in clauses[1:])])


def _simulation(view: CaseView, sentence: str) -> str:
    """The sentence, with a word in front when anything in the view is invented."""
    return f"{_INVENTED}{sentence}" if view.simulated else sentence


def _with_more(base: Answer, more: tuple[str, ...]) -> Answer:
    return msgspec.structs.replace(base, more=(*base.more, *more))
