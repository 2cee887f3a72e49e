"""Silence since a block began and since each question was put; and how long words stood until they were taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kholo.model import IMPAIRED, Case, Clock, ClockKind, Entry, EntryKind, Grade, Incident
from kholo.wording import Told

from .evidence import Evidence, accuses
from .spans import midnight
from .wording import say

#: Kinds of entry in which somebody says something that can be taken back.
_WORDS = frozenset(
    {
        EntryKind.STATEMENT, EntryKind.DENIAL, EntryKind.ADMISSION, EntryKind.JUSTIFICATION, EntryKind.FILING,
        EntryKind.HEARING, EntryKind.LETTER, EntryKind.ANSWER,
    }
)  # fmt: skip


def silence(evidence: Evidence, incidents: Iterable[Incident], as_of: datetime) -> list[Clock]:
    """From the block to the first public reason; none where nothing shows a block by then."""
    start = _block_start(evidence, incidents)
    if start is None or start[0] > as_of:
        return []
    began, source, grade = start
    reasons = [entry for entry in evidence.case.entries if entry.gives_reason and midnight(entry.earliest) <= as_of]
    first = min(reasons, key=lambda entry: (entry.earliest, entry.id), default=None)
    stopped = max(began, midnight(first.earliest)) if first else None
    text = _said(source, began, first)
    return [
        Clock(
            clock=ClockKind.SILENCE,
            entry_id=source,
            started=began,
            stopped=stopped,
            days=((stopped or as_of) - began).days,
            because=str(text),
            said=text.said,
            grade=grade,
            evidence=(source, first.id) if first else (source,),
        )
    ]


def _said(source: str, began: datetime, first: Entry | None) -> Told:
    if first is None:
        return say("silence.running", start=source)
    return say("silence.none" if first.earliest <= began.date() else "silence.stopped", start=source, entry=first.id)


def _block_start(evidence: Evidence, incidents: Iterable[Incident]) -> tuple[datetime, str, Grade] | None:
    """The first measured hour of the block, else the earliest finding that reaches into the longest one."""
    case = evidence.case
    mine = [item for item in incidents if (item.service, item.place) == (case.service, case.place) and accuses(item)]
    if mine:
        first = min(mine, key=lambda item: (item.onset.latest, item.incident_id, item.grade.value))
        return first.onset.latest, first.incident_id, first.grade
    blocks = [
        item
        for item in evidence.findings()
        if item.grade is Grade.C
        and item.claim.state in IMPAIRED
        and (item.claim.service, item.claim.place) == (case.service, case.place)
    ]
    if not blocks:
        return None
    main = max(blocks, key=lambda item: (item.claim.end - item.claim.start, item.entry.id))
    near = [item for item in blocks if item.claim.start <= main.claim.end and item.claim.end > main.claim.start]
    first_found = min(near, key=lambda item: (item.claim.start, -(item.claim.end - item.claim.start), item.entry.id))
    return first_found.claim.start, first_found.entry.id, Grade.C


def questions(case: Case, as_of: datetime) -> list[Clock]:
    """One clock for each question, and for each letter that waits for a reply or was answered."""
    answers: dict[str, list[Entry]] = {}
    for entry in case.entries:
        for name in entry.answers:
            answers.setdefault(name, []).append(entry)
    return [
        _question(entry, answers.get(entry.id, []), as_of)
        for entry in case.entries
        if _asks(entry, answers) and midnight(entry.latest) <= as_of
    ]


def _asks(entry: Entry, answers: dict[str, list[Entry]]) -> bool:
    is_letter = entry.kind is EntryKind.LETTER and bool(entry.reply or entry.request or entry.id in answers)
    return entry.kind is EntryKind.QUESTION or is_letter


def _question(entry: Entry, answers: list[Entry], as_of: datetime) -> Clock:
    # Where a day is uncertain, it is read in favour of whoever was asked: asked late, answered early.
    began = midnight(entry.latest)
    given = [answer for answer in answers if midnight(answer.earliest) <= as_of]
    first = min(given, key=lambda answer: (answer.earliest, answer.id), default=None)
    stopped = max(began, midnight(first.earliest)) if first else None
    text = say("question.answered", entry=first.id) if first else say("question.running")
    due = entry.reply.due if entry.reply else None
    overdue = max(0, ((stopped or as_of) - due).days) if due else None
    if due and overdue:
        text += say("question.late" if first else "question.overdue", due=due.date(), days=overdue)
    return Clock(
        clock=ClockKind.SILENCE,
        entry_id=entry.id,
        started=began,
        stopped=stopped,
        days=((stopped or as_of) - began).days,
        because=str(text),
        said=text.said,
        evidence=(first.id,) if first else (),
        due=due,
        overdue=overdue,
    )


def retractions(case: Case, as_of: datetime) -> list[Clock]:
    """For each word that was taken back, how long it stood; where a day is uncertain, the fewest days and the most."""
    by_id = {entry.id: entry for entry in case.entries}
    return [
        _retraction(by_id[name], entry)
        for entry in case.entries
        for name in entry.retracts
        if name in by_id and by_id[name].kind in _WORDS and midnight(entry.earliest) <= as_of
    ]


def _retraction(said: Entry, taken: Entry) -> Clock:
    began = midnight(said.latest)
    stopped = max(began, midnight(taken.earliest))
    least, most = (stopped - began).days, (taken.latest - said.earliest).days
    if least == most:
        text = say("retraction", entry=taken.id, days=least)
    else:
        text = say("retraction.uncertain", entry=taken.id, days=least, most=most)
    return Clock(
        clock=ClockKind.RETRACTION,
        entry_id=said.id,
        started=began,
        stopped=stopped,
        days=least,
        because=str(text),
        said=text.said,
        evidence=(taken.id,),
        most=max(least, most),
    )
