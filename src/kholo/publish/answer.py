"""The answer to a case in a sentence, worked out from the evidence and never more than it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from kholo.model import Entry, EntryKind, Grade, Incident, State

from .dates import last_day
from .language import ENGLISH, Language, marked
from .spans import DECISIVE, union
from .view import CaseView
from .words import GRADE, STATE

_IMPAIRED = (State.BLOCKED, State.THROTTLED)
_Groups = list[tuple[State, list[Entry]]]


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


def answer(view: CaseView, language: Language = ENGLISH) -> Answer:
    """Measured incidents first, then published findings, then what was seen of working days, then nothing."""
    return _Sentences(view, language).answer()


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


def finding_grade(view: CaseView, entry: Entry) -> Grade:
    """C for a measurement body's finding, D for anybody else's; the actor's role decides."""
    roles = {actor.id: actor.role for actor in view.case.actors}
    return Grade.C if roles.get(entry.actor) == "measurement-body" else Grade.D


class _Sentences:
    """The sentences of the answer to one case in one language."""

    def __init__(self, view: CaseView, language: Language) -> None:
        self.view, self.say, self.language = view, language.say, language
        self.names = {"service": view.service, "place": language.place(view.case.place)}

    def answer(self) -> Answer:
        """The answer, with everything that belongs beside it."""
        measured, published = self._measured(), self._published()
        if measured:
            return _with_more(measured, self._findings_also(published)) if published else measured
        if published:
            return _with_more(published, self._reachable())
        seen = self._reachable()
        if seen:
            return Answer(self._simulation(seen[0]), seen[1:], Basis.MEASURED, State.OK, None)
        nothing = self.say("There is not enough data to say whether {service} was blocked in {place}.", **self.names)
        return Answer(self._simulation(nothing), self._down(), Basis.NONE, State.INSUFFICIENT, None)

    def _measured(self) -> Answer | None:
        incidents = case_incidents(self.view)
        groups = [(state, [row for row in incidents if row.state is state]) for state in _IMPAIRED]
        groups = [(state, rows) for state, rows in groups if rows]
        if not groups:
            return None
        grade = max(row.grade for row in incidents if row.state in _IMPAIRED)
        basis = self.say(marked("recomputed from raw measurements") if grade is Grade.A else GRADE[grade])
        sentence = self.say(
            "{service} was {clauses} (grade {grade}, {basis}; {used} used).",
            service=self.view.service,
            clauses=self._joined([(state, self._measured_when(rows)) for state, rows in groups]),
            grade=grade.value,
            basis=basis,
            used=self.view.measurements,
        )
        more = tuple(self._bracket_note(row) for row in incidents if row.state in _IMPAIRED)[:4]
        return Answer(self._simulation(sentence), more, Basis.MEASURED, groups[0][0], grade)

    def _measured_when(self, rows: Sequence[Incident]) -> str:
        """On how many networks, and when."""
        networks = {network for row in rows for network in row.networks}
        first = min(row.onset.latest for row in rows).date()
        open_rows = [row for row in rows if row.end is None]
        ends = [row.end.earliest for row in rows if row.end]
        last = max(row.last_seen for row in open_rows).date() if open_rows else max(ends).date()
        known = {row.network for row in self.view.days if row.state in DECISIVE and first <= row.day <= last}
        on = self.language.many(
            "on {hit} of {n} measured network", "on {hit} of {n} measured networks", len(networks | known),
            hit=len(networks),
        )  # fmt: skip
        when = self._when(len(rows), first, last, is_open=bool(open_rows))
        text = f"{on} {when}"
        if len(rows) > 1 or _even(rows[0]):
            return text
        return self.say("{when}, not on all of them for the whole time", when=text)

    def _when(self, number: int, first: date, last: date, *, is_open: bool) -> str:
        if is_open and number > 1:
            return self.say(
                "in {n} separate incidents from {first} on, and still was when last measured on {last}",
                n=number, first=first, last=last,
            )  # fmt: skip
        if is_open:
            return self.say("from {first} on, and still was when last measured on {last}", first=first, last=last)
        if number > 1:
            return self.say("in {n} separate incidents between {first} and {last}", n=number, first=first, last=last)
        return self._span(first, last)

    def _span(self, first: date, last: date) -> str:
        if first == last:
            return self.say("on {day}", day=first)
        return self.say("from {first} to {last}", first=first, last=last)

    def _bracket_note(self, row: Incident) -> str:
        state, onset = self.say(STATE[row.state]), self.language.bracket(row.onset)
        state = state[:1].upper() + state[1:]
        if row.end is None:
            return self.say("{state}: onset {onset}; no end was measured.", state=state, onset=onset)
        end = self.language.bracket(row.end)
        return self.say("{state}: onset {onset}; end {end}.", state=state, onset=onset, end=end)

    def _published(self) -> Answer | None:
        found = _found(self.view)
        if not found:
            return None
        grade = min(finding_grade(self.view, entry) for _, rows in found for entry in rows)
        kept, weaker = _split(self.view, found, grade)
        claim = self._by_others(kept, grade)
        own = self.say("no raw measurements are in this store yet")
        if self.view.measurements:
            own = self.language.many(
                "no incident was found in the {n} measurement of this store",
                "no incident was found in the {n} measurements of this store",
                self.view.measurements,
            )
        more = self._weaker(weaker) + self._against([entry for _, rows in kept for entry in rows])
        sentence = self.say("{claim}; {own}.", claim=claim, own=own)
        return Answer(self._simulation(sentence), more, Basis.PUBLISHED, kept[0][0], grade)

    def _by_others(self, kept: _Groups, grade: Grade) -> str:
        source = marked("published findings") if grade is Grade.C else marked("press and user reports")
        return self.say(
            "{service} was {clauses}, by {source} (grade {grade})",
            service=self.view.service,
            clauses=self._joined([(state, self._published_when(rows)) for state, rows in kept]),
            source=self.say(source),
            grade=grade.value,
        )

    def _weaker(self, groups: _Groups) -> tuple[str, ...]:
        """What press and users say beside findings of a stronger grade: it may be of a longer time."""
        clauses = [self._clause(state, self._published_when(rows)) for state, rows in groups if rows]
        if not clauses:
            return ()
        said = self.language.listed(clauses)
        return (self.say("By press and user reports it was {said} (grade {grade}).", said=said, grade=Grade.D.value),)

    def _published_when(self, rows: Iterable[Entry]) -> str:
        every = [entry.proposition for entry in rows if entry.proposition]
        # A finding on some networks says nothing of the place: it counts only where nobody speaks of the place.
        propositions = [p for p in every if not p.networks] or every
        spans = union((p.start, p.end) for p in propositions)
        if not spans:
            return ""
        first, last = spans[0][0].date(), last_day(spans[-1][1])
        networks = {network for p in propositions for network in p.networks}
        on = self.language.many("on {n} network", "on {n} networks", len(networks)) + " " if networks else ""
        if len(spans) > 1:
            stretches = self.say(
                "in {n} separate stretches between {first} and {last}", n=len(spans), first=first, last=last
            )
            return f"{on}{stretches}"
        return f"{on}{self._span(first, last)}"

    def _against(self, impaired: Iterable[Entry]) -> tuple[str, ...]:
        """The standing findings that say `ok` of a time that others call blocked or throttled, with their grades."""
        bad = [entry.proposition for entry in impaired if entry.proposition]
        said = [
            self.say(
                "{span} (grade {grade})",
                span=self.language.stretch(claim.start.date(), last_day(claim.end)),
                grade=finding_grade(self.view, entry).value,
            )
            for entry in standing_findings(self.view)
            if (claim := entry.proposition) and claim.state is State.OK
            if any(claim.start < other.end and other.start < claim.end for other in bad)
        ]
        if not said:
            return ()
        return (
            self.say(
                "Not all findings agree: others report that it was reachable, for some at least, on {said}.",
                said=self.language.listed(said),
            ),
        )

    def _findings_also(self, published: Answer) -> tuple[str, ...]:
        found = _found(self.view)
        grade = published.grade or Grade.D
        claim = self._by_others(_split(self.view, found, grade)[0], grade)
        return (self.say("Beside that, not recomputed here: {claim}.", claim=claim), *published.more)

    def _reachable(self) -> tuple[str, ...]:
        """What was seen of working days, as long as no incident was found; empty when nothing was."""
        fine = [row for row in self.view.days if row.state is State.OK]
        if not fine:
            return ()
        first, last = min(row.day for row in fine), max(row.day for row in fine)
        when = self.say("on {day}", day=first)
        if first != last:
            when = self.language.between(self.language.day(first), self.language.day(last))
        seen = self.say(
            "{service} was reachable in {place} on {networks} {when}, on the {days} with enough data; no incident was"
            " found in the measurements.",
            **self.names,
            networks=self.language.many("{n} network", "{n} networks", len({row.network for row in fine})),
            when=when,
            days=self.language.many("{n} day", "{n} days", len({row.day for row in fine})),
        )
        return (seen, *self._down())

    def _down(self) -> tuple[str, ...]:
        days = len({row.day for row in self.view.days if row.state is State.DOWN})
        if not days:
            return ()
        return (
            self.language.many(
                "On {n} day it could not be reached, with no sign of interference.",
                "On {n} days it could not be reached, with no sign of interference.",
                days,
            ),
        )

    def _joined(self, clauses: Sequence[tuple[State, str]]) -> str:
        """`blocked in Pakistan on … and throttled on …`: the place stands once."""
        (state, rest), *others = clauses
        first = self.say("{state} in {place} {rest}", state=self._state(state), place=self.names["place"], rest=rest)
        return self.language.listed([first.rstrip(), *(self._clause(state, rest) for state, rest in others)])

    def _clause(self, state: State, rest: str) -> str:
        return self.say("{state} {rest}", state=self._state(state), rest=rest).rstrip()

    def _state(self, state: State) -> str:
        """The word inside of a sentence."""
        return self.say(STATE[state])

    def _simulation(self, sentence: str) -> str:
        """The sentence, with a word in front when anything in the view is invented."""
        return self.say("In this simulation: {sentence}", sentence=sentence) if self.view.simulated else sentence


def _found(view: CaseView) -> _Groups:
    """The standing findings that say that it was impaired, by state."""
    findings = standing_findings(view)
    groups = [(state, [e for e in findings if e.proposition and e.proposition.state is state]) for state in _IMPAIRED]
    return [(state, rows) for state, rows in groups if rows]


def _split(view: CaseView, groups: _Groups, grade: Grade) -> tuple[_Groups, _Groups]:
    """Those of this grade, and the others."""
    kept = [(state, [e for e in rows if finding_grade(view, e) is grade]) for state, rows in groups]
    weaker = [(state, [e for e in rows if finding_grade(view, e) is not grade]) for state, rows in groups]
    return [(state, rows) for state, rows in kept if rows], weaker


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


def _with_more(base: Answer, more: tuple[str, ...]) -> Answer:
    return msgspec.structs.replace(base, more=(*base.more, *more))
