"""Throttling by rate: a service's transfers against the same service before and other services at the same time.

A slow transfer alone says nothing: lines are slow. Throttled is said only where a service is much slower than it was
on the same network, and much slower than others there are now, by enough independent reports of all three.

Sources: Xue and others, "Throttling Twitter: an emerging censorship technique in Russia" (IMC 2021): a cap of about
130 to 150 kbit/s once the name in the handshake matched; OONI's method document on throttling (ooni/probe-cli
`docs/design/dd-008-throttling.md`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from statistics import median
from typing import NamedTuple

import msgspec

from kholo.model import State


class RateSettings(msgspec.Struct, frozen=True):
    """The numbers of the comparison.

    window_days: transfers are compared by windows of this many days (from 1970-01-01).
    before_days: how far back "before" goes.
    min_reports: distinct reports that each of the three sides needs. With five against five a chance order in which
        all of one side are below all of the other has odds of 1 in 252 for each comparison, and both must hold.
    slower: how many times slower, by medians. A half is within the day's ups and downs of a mobile line.
    extreme: how many times slower makes it extreme.
    min_hosts: other hosts that "others" needs, so that one slow site can't stand for the line.
    cap_spread: spread of the middle four fifths, over the median, below which rates stand at a cap.
    """

    window_days: int = 7
    before_days: int = 60
    min_reports: int = 5
    slower: float = 3.0
    extreme: float = 10.0
    min_hosts: int = 3
    cap_spread: float = 0.5


DEFAULT = RateSettings()


class Transfer(msgspec.Struct, frozen=True):
    """One transfer: bits a second from its first bytes to its last. `report` "" means the archive gave no id."""

    service: str | None
    host: str
    place: str
    network: str
    measured_at: datetime
    report: str
    measurement_uid: str
    simulated: bool
    bits_per_second: float


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison: distinct reports, and the median of their rates in kbit/s (None: no report)."""

    reports: int
    kbits: float | None


class RateFinding(msgspec.Struct, frozen=True):
    """A service on one network in one window.

    `kind` is `targeted` (this service slow, others as before), `generalized` (the whole line slow) or "". `state` is
    `throttled` for a targeted slowdown only. `cap_kbits` is set where the rates stand at one figure.
    """

    service: str
    place: str
    network: str
    start: date
    end: date
    state: State
    kind: str
    is_extreme: bool
    cap_kbits: float | None
    now: Side
    others: Side
    before: Side
    because: str
    simulated: bool
    measurement_uids: tuple[str, ...]


class _Line(NamedTuple):
    place: str
    network: str
    simulated: bool


def rate_findings(transfers: Iterable[Transfer], settings: RateSettings = DEFAULT) -> list[RateFinding]:
    """A finding for each service, network and window with transfers, by network, service and time."""
    lines: dict[_Line, list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        if transfer.network not in ("", "AS0"):
            lines[_Line(transfer.place, transfer.network, transfer.simulated)].append(transfer)
    found = []
    for line in sorted(lines):
        ordered = sorted(lines[line], key=lambda one: (one.measured_at, one.measurement_uid, one.host))
        for service in sorted({one.service for one in ordered if one.service}):
            found += _of_service(service, line, ordered, settings)
    return found


def _of_service(service: str, line: _Line, transfers: list[Transfer], settings: RateSettings) -> list[RateFinding]:
    mine: dict[date, list[Transfer]] = defaultdict(list)
    others: dict[date, list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        side = mine if transfer.service == service else others
        side[_window(transfer.measured_at.date(), settings.window_days)].append(transfer)
    found: list[RateFinding] = []
    slow: set[date] = set()
    for start in sorted(mine):
        # A slow window is no measure of what was usual.
        past = [w for w in mine if start - timedelta(days=settings.before_days) <= w < start and w not in slow]
        finding = _compare(service, line, start, mine, others, past, settings)
        if finding.kind:
            slow.add(start)
        found.append(finding)
    return found


def _window(day: date, length: int) -> date:
    return date.fromordinal(day.toordinal() - (day.toordinal() - date(1970, 1, 1).toordinal()) % length)


def _compare(
    service: str,
    line: _Line,
    start: date,
    mine: dict[date, list[Transfer]],
    others: dict[date, list[Transfer]],
    past: list[date],
    settings: RateSettings,
) -> RateFinding:
    now = _reports(mine[start])
    beside = _reports(others.get(start, []))
    before = _reports([one for window in past for one in mine[window]])
    beside_before = _reports([one for window in past for one in others.get(window, [])])
    missing = _missing(now, beside, before, {one.host for one in others.get(start, [])}, settings)
    kind = "" if missing else _kind(now, beside, before, beside_before, settings)
    at = median(now)
    return RateFinding(
        service=service,
        place=line.place,
        network=line.network,
        start=start,
        end=start + timedelta(days=settings.window_days),
        state=_STATES[kind] if not missing else State.INSUFFICIENT,
        kind=kind,
        is_extreme=bool(kind) and at * settings.extreme <= median(before),
        cap_kbits=_kbits(at) if kind == "targeted" and _is_cap(now, settings) else None,
        now=_side(now),
        others=_side(beside),
        before=_side(before),
        because=missing or _BECAUSE[kind],
        simulated=line.simulated,
        measurement_uids=tuple(sorted({one.measurement_uid for one in mine[start]})),
    )


_STATES = {"": State.OK, "targeted": State.THROTTLED, "generalized": State.INSUFFICIENT}
_BECAUSE = {
    "": "not much slower than before, or not than others at the time",
    "targeted": "much slower than before, and than others on the same network at the time",
    "generalized": "much slower than before, but so were others: the whole line was slow",
}


def _reports(transfers: list[Transfer]) -> list[float]:
    """One rate a report, sorted: one report is never several. Those without an id are one, as in cells."""
    by_report: dict[str, list[float]] = defaultdict(list)
    for transfer in transfers:
        by_report[transfer.report].append(transfer.bits_per_second)
    return sorted(median(rates) for rates in by_report.values())


def _missing(
    now: list[float], beside: list[float], before: list[float], hosts: set[str], settings: RateSettings
) -> str:
    least = settings.min_reports
    for side, name in ((now, "of the service"), (before, "of the service before"), (beside, "of others at the time")):
        if len(side) < least:
            return f"{len(side)} reports {name}; {least} are needed"
    if len(hosts) < settings.min_hosts:
        return f"{len(hosts)} other hosts at the time; {settings.min_hosts} are needed"
    return ""


def _kind(
    now: list[float], beside: list[float], before: list[float], beside_before: list[float], settings: RateSettings
) -> str:
    if not _is_slower(now, before, settings):
        return ""
    if _is_slower(now, beside, settings):
        return "targeted"
    if len(beside_before) >= settings.min_reports and _is_slower(beside, beside_before, settings):
        return "generalized"
    return ""


def _is_slower(now: list[float], usual: list[float], settings: RateSettings) -> bool:
    """Slower by the medians, and with hardly an overlap: nine in ten now below all but one in ten of the usual."""
    return median(now) * settings.slower <= median(usual) and _share(now, 0.9) < _share(usual, 0.1)


def _share(ordered: list[float], share: float) -> float:
    """The value below which this share of a sorted list lies (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _is_cap(now: list[float], settings: RateSettings) -> bool:
    return (_share(now, 0.9) - _share(now, 0.1)) <= settings.cap_spread * median(now)


def _side(rates: list[float]) -> Side:
    return Side(len(rates), _kbits(median(rates)) if rates else None)


def _kbits(bits: float) -> float:
    return round(bits / 1_000, 1)


def sentence(finding: RateFinding, name: str) -> str:
    """The finding in one sentence; `name` is what a person calls the service."""
    cap = " (the same in nearly every transfer: a cap)" if finding.cap_kbits else ""
    mark = "Simulated: " if finding.simulated else ""
    last = finding.end - timedelta(days=1)
    return (
        f"{mark}{name} at {speed(finding.now.kbits or 0)}{cap} on {finding.network} from {_day(finding.start)} to"
        f" {_day(last)}, where other sites got {speed(finding.others.kbits or 0)}. Before, {name} got"
        f" {speed(finding.before.kbits or 0)} there."
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def speed(kbits: float) -> str:
    """A rate for a person: `120 kbit/s`, `8 Mbit/s`."""
    return f"{kbits / 1_000:.1f} Mbit/s".replace(".0 ", " ") if kbits >= 1_000 else f"{kbits:.0f} kbit/s"
