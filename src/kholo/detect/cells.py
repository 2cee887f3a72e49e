"""Verdicts counted by service, network and hour. One report is never several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from kholo.model import IMPAIRED, Cell, Grade, ReportVotes, State

_DECISIVE = frozenset({State.OK, *IMPAIRED})
#: Rules by which all that was tried failed, and nothing shows why.
DARK_RULES = frozenset({"tcp.unclear", "tls.unclear", "http.unclear"})


class Result(msgspec.Struct, frozen=True):
    """What detection needs of a verdict. `report` "" means that the archive gave no report id."""

    service: str
    place: str
    network: str
    measured_at: datetime
    state: State
    mechanism: str | None
    report: str
    grade: Grade
    simulated: bool
    measurement_uid: str
    rule_id: str = ""


class _Key(NamedTuple):
    service: str
    place: str
    network: str
    hour: datetime
    simulated: bool


class _Tally:
    def __init__(self) -> None:
        self.states: Counter[State] = Counter()
        self.mechanisms: Counter[str] = Counter()
        self.reports: set[str] = set()
        self.votes: dict[str, list[Result]] = {}
        self.dark: dict[str, list[Result]] = {}
        self.raw = 0


def cells(results: Iterable[Result]) -> list[Cell]:
    """Hourly cells, sorted by service, place, network and hour. The order of `results` makes no difference.

    Results without a service or with an unknown network (AS0) are of no use here. Results without a report id count,
    within a network and hour, as one report: the least they can be.
    """
    tallies: dict[_Key, _Tally] = {}
    for result in results:
        if not result.service or result.network in ("", "AS0"):
            continue
        hour = result.measured_at.replace(minute=0, second=0, microsecond=0)
        key = _Key(result.service, result.place, result.network, hour, result.simulated)
        _count(tallies.setdefault(key, _Tally()), result)
    return [_cell(key, tallies[key]) for key in sorted(tallies)]


def _count(tally: _Tally, result: Result) -> None:
    tally.states[result.state] += 1
    tally.reports.add(result.report)
    if result.state in _DECISIVE:
        tally.votes.setdefault(result.report, []).append(result)
        tally.raw += result.grade is Grade.A
    elif result.rule_id in DARK_RULES:
        tally.dark.setdefault(result.report, []).append(result)
    if result.state in IMPAIRED and result.mechanism:
        tally.mechanisms[result.mechanism] += 1


def _cell(key: _Key, tally: _Tally) -> Cell:
    return Cell(
        service=key.service,
        place=key.place,
        network=key.network,
        hour=key.hour,
        ok=tally.states[State.OK],
        down=tally.states[State.DOWN],
        blocked=tally.states[State.BLOCKED],
        throttled=tally.states[State.THROTTLED],
        insufficient=tally.states[State.INSUFFICIENT],
        reports=len(tally.reports),
        mechanisms=tuple(sorted(tally.mechanisms.items())),
        votes=tuple(sorted(_votes(report, results) for report, results in tally.votes.items())),
        raw=tally.raw,
        simulated=key.simulated,
        dark=tuple(
            sorted(_dark(report, results) for report, results in tally.dark.items() if report not in tally.votes)
        ),
    )


def _votes(report: str, results: list[Result]) -> ReportVotes:
    states = Counter(result.state for result in results)
    times = [result.measured_at for result in results]
    return ReportVotes(min(times), max(times), report, states[State.OK], states[State.BLOCKED], states[State.THROTTLED])


def _dark(report: str, results: list[Result]) -> ReportVotes:
    times = [result.measured_at for result in results]
    return ReportVotes(min(times), max(times), report, 0, len(results), 0)


def with_dark(cells: Iterable[Cell]) -> list[Cell]:
    """The cells with dark reports counted as blocked."""
    return [msgspec.structs.replace(cell, votes=tuple(sorted(cell.votes + cell.dark))) for cell in cells]
