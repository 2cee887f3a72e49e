"""What is known, ordered, said and not known, as blocks of a paper. Nothing here says more than the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kholo.model import Assessment, Bracket, Clock, ClockKind, Entry, EntryKind, Incident, Outcome, Said, State
from kholo.publish import CaseView
from kholo.publish.answer import case_incidents, finding_grade, standing_findings, taken_back
from kholo.publish.dates import last_day
from kholo.publish.safe import visible
from kholo.publish.told import told

from .document import Block, Grid, Items, Paragraph, Run, Style, Text
from .language import Gap, Language
from .notes import Notes, from_record, one_line

#: Entries that wait for an answer.
_ASKED = frozenset({EntryKind.QUESTION, EntryKind.LETTER})


class Parts:
    """The computed parts of one paper. Every figure in them carries the mark of a note."""

    def __init__(self, view: CaseView, words: Language, notes: Notes) -> None:
        self._view, self._words, self._notes = view, words, notes
        self._spoken = words.spoken
        self._entries = {entry.id: entry for entry in view.case.entries}
        self._actors = {actor.id: actor.name for actor in view.case.actors}
        self._assessed = {item.entry_id: item for item in view.assessments}

    def known(self) -> list[Block]:
        """The incidents that were measured; else, or beside them, what published findings say."""
        rows = [self._incident(item) for item in case_incidents(self._view)]
        rows += [self._finding(entry) for entry in standing_findings(self._view)]
        if not rows:
            return [Paragraph(self._words.say("known.nothing", service=from_record(self._view.service)))]
        lead = "known.published_lead" if self._view.measurements else "known.unmeasured_lead"
        lead = "known.measured_lead" if case_incidents(self._view) else lead
        return [Paragraph(self._words.say(lead)), Items(tuple(rows))]

    def _incident(self, item: Incident) -> Text:
        words = self._words
        end = words.say("known.end", when=self.bracket(item.end)) if item.end else self._last_seen(item)
        return words.say(
            "known.incident",
            service=from_record(self._view.service),
            state=words.word("state", item.state),
            networks=words.count(len(item.networks), "network"),
            names=words.listed([(Run(name, Style.CODE),) for name in item.networks]),
            onset=self.bracket(item.onset),
            end=end,
            reports=words.count(item.reports, "report"),
            grade=item.grade.value,
            grade_says=words.word("grade", item.grade),
            note=self._notes.incident(item.incident_id),
        )

    def _last_seen(self, item: Incident) -> Text:
        return self._words.say("known.open", when=self._words.moment(item.last_seen))

    def bracket(self, value: Bracket) -> str:
        """An uncertain moment: both times, or one."""
        words = self._words
        if value.earliest == value.latest:
            return words.moment(value.earliest)
        first, last = words.moment(value.earliest), words.moment(value.latest)
        return "".join(run.text for run in words.say("date.between", first=first, last=last))

    def _finding(self, entry: Entry) -> Text:
        claim = entry.proposition
        if claim is None:
            return ()
        words, networks = self._words, [(Run(name, Style.CODE),) for name in claim.networks]
        return words.say(
            "known.finding_on" if networks else "known.finding",
            what=self._what(entry),
            service=from_record(self._view.service),
            state=words.word("state", claim.state),
            span=self._span(claim.start.date(), last_day(claim.end)),
            networks=words.listed(networks),
            grade=finding_grade(self._view, entry).value,
            grade_says=words.word("grade", finding_grade(self._view, entry)),
            note=self._notes.entry(entry.id),
        )

    def orders(self) -> list[Block]:
        """What courts ordered, and the days that the clock of each order counted."""
        duties = [entry for entry in self._view.case.entries if entry.obligation]
        if not duties:
            return [Paragraph(self._words.say("orders.none"))]
        return [Items(tuple(self._order(entry) for entry in duties))]

    def _order(self, entry: Entry) -> Text:
        clocks = [row for row in self._view.clocks if row.entry_id == entry.id and row.network is None]
        due = self._words.day(entry.obligation.due) if entry.obligation else ""
        text = self._words.say(
            "orders.order",
            day=self._when(entry),
            what=self._what(entry),
            due=due,
            note=self._notes.entry(entry.id),
        )
        counted = [self._clock(row) for row in clocks] or [self._words.say("orders.no_clock")]
        return tuple(run for part in (text, *counted) for run in (*part, Run(" ")))[:-1]

    def clocks(self) -> list[Block]:
        """Each clock over the whole place, with the days, as a sentence."""
        rows = [self._clock(row, is_named=True) for row in self._view.clocks if row.network is None]
        return [Items(tuple(rows))] if rows else [Paragraph(self._words.say("clocks.none"))]

    def _clock(self, row: Clock, is_named: bool = False) -> Text:
        words = self._words
        entry = self._entries.get(row.entry_id)
        state = "stopped" if row.stopped else "running"
        # Silence is counted since a block began, or since somebody asked.
        is_asked = row.clock is ClockKind.SILENCE and entry is not None and entry.kind in _ASKED
        text = words.say(
            f"clock.{'question' if is_asked else row.clock}.{state}",
            days=words.count(row.days, "day"),
            start=words.day(row.started),
            stop=words.day(row.stopped or self._view.as_of),
            note=self._notes.clock(row.entry_id, row.evidence),
        )
        if row.grade:
            text = (*text, Run(" "), *words.say("clock.grade", grade=row.grade.value))
        text = (*text, Run(" "), *self.told(row.said, row.because))
        if not is_named or entry is None or (row.clock is ClockKind.SILENCE and not is_asked):
            return text
        return (*words.say("clock.of", what=self._what(entry)), Run(" "), *text)

    def contradicted(self) -> list[Block]:
        """What was said and is contradicted, after how many claims were supported and left undetermined."""
        claims = [item for item in self._view.assessments if item.kind is not EntryKind.FINDING]
        if not claims:
            return [Paragraph(self._words.say("claims.none"))]
        hit = [item for item in claims if item.outcome is Outcome.CONTRADICTED]
        blocks: list[Block] = [Paragraph(self._tally(claims))]
        return [*blocks, Items(tuple(self._claim(item) for item in hit))] if hit else blocks

    def _tally(self, claims: Sequence[Assessment]) -> Text:
        parts: dict[str, Gap] = {}
        for outcome in Outcome:
            mine = [item.entry_id for item in claims if item.outcome is outcome]
            parts[outcome.value] = self._words.number(len(mine))
            parts[f"{outcome.value}_note"] = self._notes.tally(mine) if mine else ()
        return self._words.say("claims.tally", **parts)

    def _claim(self, item: Assessment) -> Text:
        entry = self._entries[item.entry_id]
        return self._words.say(
            "claims.claim",
            day=self._when(entry),
            what=self._what(entry),
            outcome=self._outcome(item),
            note=self._notes.assessment(entry.id, item.evidence),
        )

    def _outcome(self, item: Assessment) -> Text:
        """The outcome with its grade, and the sentences of the assessment."""
        words = self._words
        grade = words.say("claims.grade", grade=item.grade.value) if item.grade else words.say("claims.no_grade")
        outcome = (Run(words.word("outcome", item.outcome), Style.STRONG),)
        return words.say("claims.outcome", outcome=outcome, grade=grade, because=self.told(item.said, item.because))

    def told(self, said: Sequence[Said], text: str) -> Text:
        """Sentences of the record's table in the paper's language; others as they were written, in English."""
        if not said and not self._spoken.is_source:
            return from_record(text)
        return (Run(visible(told(said, text, {}, self._spoken))),)

    def ours(self, context: str, text: str) -> Text:
        """A text of our data, which the catalogues of the pages have by its English words; else in English."""
        own = self._spoken.about(context, text)
        return from_record(text) if own == text else (Run(visible(own)),)

    def claims(self) -> list[Block]:
        """All claims with their assessments, as a table."""
        rows = [
            (
                (Run(self._when(self._entries[item.entry_id])),),
                self._what(self._entries[item.entry_id]),
                (*self._outcome(item), *self._notes.assessment(item.entry_id, item.evidence)),
            )
            for item in self._view.assessments
        ]
        return self._grid(("table.day", "table.said", "table.evidence"), rows, (3, 6, 9), "claims.none")

    def chronology(self, is_numbered: bool = False) -> list[Block]:
        """Every entry of the record, oldest first, with its quotes in their own language; numbered as in drawings."""
        rows: list[tuple[Text, ...]] = []
        ordered = sorted(self._view.case.entries, key=lambda item: (item.earliest, item.latest, item.id))
        for number, entry in enumerate(ordered, 1):
            what: Text = (*from_record(entry.title, Style.STRONG), Run(" "), *from_record(entry.summary))
            for source in entry.sources:
                if source.quote:
                    what = (*what, Run(" “"), Run(one_line(source.quote), language=source.language), Run("”"))
            kind = self._words.word("kind", entry.kind)
            who = (*self._actor(entry), Run(f" ({kind})"))
            place: tuple[Text, ...] = ((Run(self._words.number(number)),),) if is_numbered else ()
            rows.append((*place, (Run(self._when(entry)),), who, (*what, *self._notes.entry(entry.id))))
        first, widths = (("table.number",), (1, 3, 4, 10)) if is_numbered else ((), (3, 4, 11))
        return self._grid((*first, "table.day", "table.who", "table.what"), rows, widths, "chronology.none")

    def corrections(self) -> list[Block]:
        """What was taken back: by those who said it, and by the detector."""
        rows = [
            self._words.say(
                "corrections.entry",
                day=self._when(entry),
                what=self._what(entry),
                before=self._words.listed([from_record(self._entries[name].title) for name in entry.retracts]),
                note=self._notes.evidence([entry.id, *entry.retracts], self._explain(entry.id)),
            )
            for entry in self._view.case.entries
            if entry.retracts
        ]
        rows += [
            self._words.say(
                "corrections.incident",
                when=self.bracket(item.onset),
                service=from_record(self._view.service),
                note=self._notes.incident(item.incident_id),
            )
            for item in taken_back(self._view)
        ]
        return [Items(tuple(rows))] if rows else [Paragraph(self._words.say("corrections.none"))]

    def _explain(self, identifier: str) -> str:
        return f"kholo explain {identifier} --case cases/{self._view.case.id}"

    def undetermined(self) -> list[Block]:
        """The claims that the evidence can't decide, and the limits that the case names itself."""
        rows = [self._claim(item) for item in self._view.assessments if item.outcome is Outcome.UNDETERMINED]
        note = self._notes.whole("note.case", f"kholo case check cases/{self._view.case.id}")
        rows += [(*from_record(limit), *note) for limit in self._view.case.limits]
        return [Items(tuple(rows))] if rows else [Paragraph(self._words.say("unknown.none"))]

    def questions(self) -> list[Block]:
        """Statements and denials of the addressee's side that something contradicts: what a letter asks about."""
        rows = [
            self._words.say(
                "letter.about",
                day=self._when(self._entries[item.entry_id]),
                title=from_record(self._entries[item.entry_id].title),
                note=self._notes.assessment(item.entry_id, item.evidence),
            )
            for item in self._view.assessments
            if item.outcome is Outcome.CONTRADICTED and item.kind in (EntryKind.DENIAL, EntryKind.STATEMENT)
        ]
        return [Items(tuple(rows), is_numbered=True)] if rows else [Paragraph(self._words.say("claims.none_against"))]

    def _grid(
        self,
        heads: Sequence[str],
        rows: Sequence[tuple[Text, ...]],
        widths: tuple[int, ...],
        empty: str,
    ) -> list[Block]:
        if not rows:
            return [Paragraph(self._words.say(empty))]
        return [Grid(tuple(self._words.say(head) for head in heads), tuple(rows), widths)]

    def _actor(self, entry: Entry) -> Text:
        return from_record(self._actors.get(entry.actor, entry.actor))

    def _what(self, entry: Entry) -> Text:
        """Who, and the title; where the title begins with who, it alone."""
        actor = self._actors.get(entry.actor, entry.actor)
        if entry.title.casefold().startswith(actor.casefold()):
            return from_record(entry.title)
        return self._words.say("entry.by", actor=from_record(actor), title=from_record(entry.title))

    def _when(self, entry: Entry) -> str:
        if entry.earliest == entry.latest:
            return self._words.day(entry.earliest)
        first, last = self._words.day(entry.earliest), self._words.day(entry.latest)
        return "".join(run.text for run in self._words.say("date.between", first=first, last=last))

    def _span(self, first: date, last: date) -> str:
        if first == last:
            return "".join(run.text for run in self._words.say("date.on", day=self._words.day(first)))
        days = self._words.day(first), self._words.day(last)
        return "".join(run.text for run in self._words.say("date.span", first=days[0], last=days[1]))

    @property
    def is_open(self) -> bool:
        """Whether, as far as was measured, it is still impaired: an incident without an end, or a clock that runs."""
        running = any(row.stopped is None and row.clock is ClockKind.COMPLIANCE for row in self._view.clocks)
        impaired = (State.BLOCKED, State.THROTTLED)
        return running or any(row.end is None and row.state in impaired for row in case_incidents(self._view))

    @property
    def is_silent(self) -> bool:
        """Whether no entry gives a public reason."""
        return not any(entry.gives_reason for entry in self._view.case.entries)
