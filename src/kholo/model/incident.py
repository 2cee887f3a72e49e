"""Counts by hour, and the events in the world that they prove."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from .words import Grade, State


class ReportVotes(msgspec.Struct, frozen=True, order=True):
    """What one report said inside one cell: how many results of each kind. One report is never several.

    `first` and `last` are the times (UTC) of its first and last result in the cell.
    """

    first: datetime
    last: datetime
    report: str
    ok: int
    blocked: int
    throttled: int


class Cell(msgspec.Struct, frozen=True):
    """Service x network x hour, with the counts of each state. No bare ratio; an empty cell is never `ok`.

    `hour` is the start of the hour, UTC. `votes` holds one item a distinct report with a decisive result
    (ok, blocked, throttled), sorted. `grades` counts the decisive results by the depth of their evidence.
    """

    service: str
    place: str
    network: str
    hour: datetime
    ok: int
    down: int
    blocked: int
    throttled: int
    insufficient: int
    reports: int
    mechanisms: tuple[tuple[str, int], ...]
    votes: tuple[ReportVotes, ...]
    raw: int
    simulated: bool


class Bracket(msgspec.Struct, frozen=True, order=True):
    """A moment that is known only to lie between two times (UTC)."""

    earliest: datetime
    latest: datetime


class NetworkSpell(msgspec.Struct, frozen=True):
    """One unbroken stretch of impaired access on one network. `end` is None while it lasts.

    `last_seen` is the last result (UTC) that showed it; `reports` counts distinct reports that did.
    `onset_measured` is False where it was so already when measuring began: the bracket is then the first result.
    """

    network: str
    state: State
    onset: Bracket
    end: Bracket | None
    last_seen: datetime
    reports: int
    results: int
    onset_measured: bool = True


class Incident(msgspec.Struct, frozen=True):
    """One event in the world. The JSON names are a public contract.

    `end` is None while it lasts, as far as measured: `last_seen` says how far that is. `grade` is A when
    raw measurements alone carry it, else B. `spells` are the parts of it by network.
    """

    incident_id: str
    service: str
    place: str
    networks: tuple[str, ...]
    state: State
    mechanisms: tuple[str, ...]
    onset: Bracket
    end: Bracket | None
    last_seen: datetime
    reports: int
    results: int
    grade: Grade
    spells: tuple[NetworkSpell, ...]
    simulated: bool
    onset_measured: bool = True


class DayState(msgspec.Struct, frozen=True):
    """One day (UTC) of one service on one network, for pictures and tables.

    `state` is `insufficient` where too little was measured to say, never `ok` by default.
    The counts are results, `reports` distinct reports with a decisive result. `raw`: every decisive result was judged
    from a raw measurement.
    """

    service: str
    place: str
    network: str
    day: date
    state: State
    ok: int
    blocked: int
    throttled: int
    down: int
    insufficient: int
    reports: int
    simulated: bool
    raw: bool = False
