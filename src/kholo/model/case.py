"""A case: what was said, ordered and found, as typed entries. `docs/case-format.md` is the format."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from .said import Said
from .words import Answered, ClockKind, EntryKind, EventKind, Extent, Grade, Outcome, Reason, Standing, State


class Source(msgspec.Struct, frozen=True):
    """Where an entry was read. `read` is the day it was read; `archived` is a path inside the case folder.

    `language` (BCP 47) is that of `quote`, which is the original; `translation` is the quote in English.
    """

    address: str
    publisher: str
    read: date
    date: date | None = None
    language: str = "en"
    quote: str | None = None
    archived: str | None = None
    sha256: str | None = None
    translation: str | None = None
    title: str | None = None


class Proposition(msgspec.Struct, frozen=True):
    """Something that can be checked: in this place, from then to then, the service was in this state.

    `state` is `ok`, `blocked` or `throttled`. `start` and `end` are UTC, the end exclusive;
    `networks` empty means: across the place.
    """

    service: str
    place: str
    state: State
    start: datetime
    end: datetime
    networks: tuple[str, ...] = ()


class Obligation(msgspec.Struct, frozen=True):
    """What an order demands: from `due` (UTC) on, the service is in `state`; `until`: when it lapses, if ever."""

    service: str
    place: str
    state: State
    due: datetime
    until: datetime | None = None
    networks: tuple[str, ...] = ()


class Stay(msgspec.Struct, frozen=True):
    """How long a stay holds, UTC; `start` None: from the day of its entry; `end` (not included) None: until further."""

    start: datetime | None = None
    end: datetime | None = None


class Reply(msgspec.Struct, frozen=True):
    """The answer that a question waits for: overdue from `due` (UTC) on; None: no day was set."""

    due: datetime | None = None


class LegalBasis(msgspec.Struct, frozen=True):
    """A law that somebody rests on. `statute` is an id of the law data, or a name where it is not there.

    `says` is a short paraphrase; `claimed_by` the actor who rests on it, where it is not the entry's own.
    """

    statute: str
    section: str | None = None
    says: str | None = None
    claimed_by: str | None = None


class Actor(msgspec.Struct, frozen=True):
    """Somebody who speaks or orders in the record. `role` decides what their findings weigh."""

    id: str
    name: str
    role: str


class Entry(msgspec.Struct, frozen=True):
    """One entry of the record.

    `earliest` and `latest` bound the day it happened (equal when it is certain). `response` marks an entry
    that gives a public reason for the block: it stops the silence clock.
    `proposition` says what the entry claims about the world, `obligation` what it orders.
    `contradicts`, `retracts`, `stays`, `appeals`, `contempt_of` and `answers` are ids of entries, sorted.
    `reply` is the answer that a question or a letter waits for; `request` is "information" where it is put under
    a right-to-information law. `signatories` are names: of the entry, then of its `signatories_file`.
    """

    id: str
    kind: EntryKind
    earliest: date
    latest: date
    actor: str
    title: str
    summary: str
    sources: tuple[Source, ...]
    proposition: Proposition | None = None
    obligation: Obligation | None = None
    contradicts: tuple[str, ...] = ()
    retracts: tuple[str, ...] = ()
    gives_reason: bool = False
    notes: str = ""
    file: str = ""
    stays: tuple[str, ...] = ()
    appeals: tuple[str, ...] = ()
    contempt_of: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    stay: Stay | None = None
    reply: Reply | None = None
    request: str | None = None
    legal_basis: tuple[LegalBasis, ...] = ()
    signatories: tuple[str, ...] = ()
    signatories_file: str | None = None
    event: EventKind | None = None


class TestAnswer(msgspec.Struct, frozen=True):
    """An answer to a question of the three-part test that people gave, in the case folder. It cites entries."""

    question: str
    answer: Answered
    says: str
    entries: tuple[str, ...]


class Translation(msgspec.Struct, frozen=True):
    """The texts of a case in another language, by the texts themselves. `is_reviewed`: a person has read each."""

    texts: Mapping[str, str]
    is_reviewed: bool = True


class Case(msgspec.Struct, frozen=True):
    """A case folder, read and checked. Entries are sorted by date, then id. `languages`: its translations by code."""

    id: str
    title: str
    service: str
    place: str
    summary: str
    start: date
    end: date | None
    simulated: bool
    actors: tuple[Actor, ...]
    entries: tuple[Entry, ...]
    digest: str
    limits: tuple[str, ...] = ()
    answers: tuple[TestAnswer, ...] = ()
    languages: Mapping[str, Translation] = {}


class Coverage(msgspec.Struct, frozen=True):
    """How much was measured inside a proposition's time.

    `networks` had a decisive result then, of `networks_known` that were measured at any time in the case (or that the
    proposition names). `covered` network-days of `wanted` had enough to decide. `results` are the decisive ones.
    """

    results: int = 0
    networks: int = 0
    networks_known: int = 0
    covered: int = 0
    wanted: int = 0


class Shown(msgspec.Struct, frozen=True):
    """For how much of a proposition the evidence shows it to be so, and for how much otherwise.

    Networks on which it is so for all of the time, and those on which it is otherwise for some of it, sorted. `days` of
    `of_days`: those on which it is so on one network at least and otherwise on none.
    """

    so_on: tuple[str, ...] = ()
    otherwise_on: tuple[str, ...] = ()
    days: int = 0
    of_days: int = 0


class Assessment(msgspec.Struct, frozen=True):
    """A proposition set against the evidence. The JSON names are a public contract.

    `checked` is the proposition in words, as it was set against the evidence. `evidence` names what the outcome rests
    on: incident ids and entry ids, sorted; `beside` those that say otherwise of a part and do not decide. `results` and
    `networks` say how much was measured inside the proposition's time, `coverage` in full. `reason`: why it is
    undetermined. `extent`: `part` where it is so in part and otherwise in part. `retracted_by`: the entries that took
    it back. `said` is `because` as sentences, `asked` is `checked`.
    """

    entry_id: str
    kind: EntryKind
    date: date
    outcome: Outcome
    grade: Grade | None
    because: str
    evidence: tuple[str, ...] = ()
    results: int = 0
    networks: int = 0
    reason: Reason | None = None
    extent: Extent | None = None
    coverage: Coverage = Coverage()
    shown: Shown = Shown()
    beside: tuple[str, ...] = ()
    retracted_by: tuple[str, ...] = ()
    checked: str = ""
    said: tuple[Said, ...] = ()
    asked: tuple[Said, ...] = ()


class Return(msgspec.Struct, frozen=True, order=True):
    """A brief time (UTC, `until` not included) in which what was ordered was so, before it was not again."""

    since: datetime
    until: datetime
    grade: Grade
    evidence: tuple[str, ...] = ()


class Clock(msgspec.Struct, frozen=True):
    """Days counted. The JSON names are a public contract. `stopped` is None while it runs.

    `entry_id` is that of an entry, or, where an authority is silent on an incident, the incident's.
    `started` and `stopped` are UTC. `days` is whole days between; while it runs, up to the moment it was asked for.
    Of an order: `standing`, when it was `first_met`, the brief `returns` that do not stop the clock, and the days
    `stayed`, which `days` leaves out. Of a question: `due`, and the days `overdue`. Of a retraction: the `most` days it
    can have been, where a date is uncertain. `said` is `because` as sentences.
    """

    clock: ClockKind
    entry_id: str
    started: datetime
    stopped: datetime | None
    days: int
    because: str
    grade: Grade | None = None
    network: str | None = None
    evidence: tuple[str, ...] = ()
    standing: Standing | None = None
    first_met: datetime | None = None
    returns: tuple[Return, ...] = ()
    stayed: int = 0
    due: datetime | None = None
    overdue: int | None = None
    most: int | None = None
    said: tuple[Said, ...] = ()


class Checked(msgspec.Struct, frozen=True):
    """One question of the three-part test with its answer, for a case or one incident of it.

    `entries` and `incidents` are what the answer rests on, sorted; where nothing was found, the entries in which it
    could have stood. `by_people`: it stands in the case folder; else it is drawn from the record, and `told` is `says`
    as sentences.
    """

    question: str
    part: str
    ask: str
    rests_on: str
    answer: Answered
    says: str
    entries: tuple[str, ...]
    incidents: tuple[str, ...] = ()
    incident_id: str | None = None
    by_people: bool = False
    told: tuple[Said, ...] = ()
