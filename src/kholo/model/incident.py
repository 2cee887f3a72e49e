"""Counts by hour, and the events in the world that they prove."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from .said import Said
from .words import Grade, Kind, State


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
    (ok, blocked, throttled), sorted. `dark` holds those of reports that have none, and in which all that was tried
    failed without a cause being shown: as `blocked`, though alone they are no evidence of it. `raw` counts the decisive
    results that were judged from raw measurements.
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
    dark: tuple[ReportVotes, ...] = ()


class Bracket(msgspec.Struct, frozen=True, order=True):
    """A moment that is known only to lie between two times (UTC)."""

    earliest: datetime
    latest: datetime


class NetworkSpell(msgspec.Struct, frozen=True):
    """One unbroken stretch of impaired access on one network. `end` is None while it lasts.

    `last_seen` is the last result (UTC) that showed it; `reports` counts distinct reports that did.
    `onset_measured` is False where it was so already when measuring began: the bracket is then the first result.
    `is_dark`: nothing of the service answered at all, which alone might be a dead line; it counts because the service
    was seen blocked on another network at the time.
    """

    network: str
    state: State
    onset: Bracket
    end: Bracket | None
    last_seen: datetime
    reports: int
    results: int
    onset_measured: bool = True
    e_value: float = 0.0
    is_dark: bool = False


class HoursOfDay(msgspec.Struct, frozen=True):
    """Hours of the day (UTC, 0 to 23) in which a block was on, on the networks where it came and went with the clock.

    `weekdays` are the days of the week (Monday is 0) on which it was on at all. Reports in those hours and at other
    times, and how many of them failed.
    """

    networks: tuple[str, ...]
    hours: tuple[int, ...]
    weekdays: tuple[int, ...]
    reports_on: int
    failed_on: int
    reports_off: int
    failed_off: int


class Incident(msgspec.Struct, frozen=True):
    """One event in the world. The JSON names are a public contract.

    `end` is None while it lasts, as far as measured: `last_seen` says how far that is. `grade` is A when
    raw measurements alone carry it, else B. `spells` are the parts of it by network. `kind` says what sort of event it
    is and `because` what decided that; `state` is `blocked` or `throttled` for these kinds only. `e_value`: by how much
    the measurements raised the odds of a block, averaged over the networks measured (`docs/detector.md`). `said` is
    `because` as sentences, those of each reason apart.
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
    kind: Kind = Kind.BLOCKED
    because: tuple[str, ...] = ()
    hours: HoursOfDay | None = None
    e_value: float = 0.0
    said: tuple[tuple[Said, ...], ...] = ()


class Collapse(msgspec.Struct, frozen=True):
    """Far fewer measurements from a network than usual, whatever the service: nobody knows why, a shutdown is possible.

    From the last measurement of the usual kind to the first after it (`until` None: not yet). `usual` and `seen` are
    reports a day and reports in all. `chance`: of so few, had nothing changed. `confirmed_by`: archives that tell of an
    outage of the network or the whole country at the time.
    """

    place: str
    network: str
    since: datetime
    until: datetime | None
    usual: float
    seen: int
    chance: float
    simulated: bool
    confirmed_by: tuple[str, ...] = ()


class Wanted(msgspec.Struct, frozen=True):
    """A measurement that would narrow the dates of an incident: of what, where, and between which times (UTC).

    `best` is the hour that would help most and `gain_hours` by how much it would narrow the bracket. `until` None: from
    now on. What lies in the past can only come from people and archives that have not sent it yet.
    """

    incident_id: str
    service: str
    place: str
    network: str
    since: datetime
    until: datetime | None
    best: datetime | None
    gain_hours: float
    why: str


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
