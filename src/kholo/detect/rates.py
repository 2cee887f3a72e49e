"""Throttling by rate: a service's transfers against other sites on the same network at the same time.

A slow transfer alone says nothing: lines are slow. So each transfer of a service is set against its controls, transfers
of sites that no service of the registry has, in the same report or else on the same network within hours. Where that
ratio falls far under what is usual for the address, for long enough and in enough reports, the service is throttled
(*targeted*). Where the other sites themselves fall far under their usual, the whole line is slow (*generalized*).

Sources: Xue and others, "Throttling Twitter: an emerging censorship technique in Russia" (IMC 2021): a cap of about
130 to 150 kbit/s once the name in the handshake matched; OONI's method document on throttling (ooni/probe-cli
`docs/design/dd-008-throttling.md`).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

import msgspec

from kholo.model import Bracket, Said, State
from kholo.wording import Told

from .settings import DEFAULT as ENGINE
from .settings import Settings
from .slow import Line, Slow, SlowSettings, SlowStretch, Value, slow
from .spells import Spell
from .wording import say


class RateSettings(msgspec.Struct, frozen=True):
    """The numbers of the comparison.

    beside_hours: controls are taken from the same report, else from so many hours before and after.
    min_hosts: other sites that controls need, so that one slow site can't stand for the line.
    min_finished: distinct reports of a slow stretch in which a transfer finished. Where all were cut off, it may as
        well be a block.
    extreme: how many times slower makes it extreme.
    cap_spread: spread of the middle four fifths, over the median, below which rates stand at a cap.
    """

    beside_hours: float = 6.0
    min_hosts: int = 3
    min_finished: int = 3
    extreme: float = 10.0
    cap_spread: float = 0.5
    slow: SlowSettings = SlowSettings()


DEFAULT = RateSettings()


class Transfer(msgspec.Struct, frozen=True):
    """One transfer: bits a second from its first bytes to its last; None where time ran out before it was done, so that
    it was slower than could be told. `report` "" means the archive gave no id."""

    service: str | None
    host: str
    place: str
    network: str
    measured_at: datetime
    report: str
    measurement_uid: str
    simulated: bool
    bits_per_second: float | None


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison: distinct reports, the median of their rates in kbit/s (None: no report finished), and
    how many were cut off by time."""

    reports: int
    kbits: float | None
    cut_off: int = 0


class RateFinding(msgspec.Struct, frozen=True):
    """What the rates of a service on one network say; `service` "" stands for all other sites measured there.

    `kind` is `targeted` (this service slow against others at the time), `generalized` (the other sites themselves
    slow) or "". `state` is `throttled` for a targeted slowdown only. `onset` and `end` are as of incidents; None where
    nothing is slow, `end` also while it lasts. `since` and `until` are the first and last transfer looked at, of a slow
    stretch those that were slow. `times`: how many times slower than usual, by medians, against the controls (None:
    most were cut off). `cap_kbits` is set where the rates stand at one figure. `said` is `because` as sentences.
    """

    service: str
    place: str
    network: str
    state: State
    kind: str
    onset: Bracket | None
    end: Bracket | None
    since: datetime
    until: datetime
    times: float | None
    is_extreme: bool
    cap_kbits: float | None
    now: Side
    others: Side
    usual: Side
    because: str
    e_value: float
    simulated: bool
    measurement_uids: tuple[str, ...]
    said: tuple[Said, ...] = ()


class Slowdown(msgspec.Struct, frozen=True):
    """A finding, and the spell that it is in an incident (None: it is in none)."""

    finding: RateFinding
    spell: Spell | None = None


def slow_uids(findings: Iterable[RateFinding]) -> frozenset[str]:
    """The measurements whose transfers were so slow that the findings rest on them."""
    return frozenset(uid for one in findings for uid in one.measurement_uids)


def slowdowns(
    transfers: Iterable[Transfer], settings: RateSettings = DEFAULT, engine: Settings = ENGINE
) -> list[Slowdown]:
    """The findings of each network: its services first, by name and time, then all other sites. Each series that has no
    slow stretch has one finding that says so. The order of `transfers` makes no difference."""
    lines: dict[tuple[str, str, bool], list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        if transfer.network not in ("", "AS0"):
            lines[transfer.place, transfer.network, transfer.simulated].append(transfer)
    found: list[Slowdown] = []
    for key in sorted(lines):
        ordered = sorted(lines[key], key=lambda one: (one.measured_at, one.measurement_uid, one.host, _log(one)))
        controls = _Controls([one for one in ordered if one.service is None], settings)
        for service in sorted({one.service for one in ordered if one.service}):
            line = Line(service, *key)
            found += _of_service(line, [one for one in ordered if one.service == service], controls, settings, engine)
        found += _of_line(Line("", *key), controls.all, settings, engine)
    return found


class _Controls:
    """The other sites of a network, in time: how fast the line was at any moment."""

    def __init__(self, transfers: Sequence[Transfer], settings: RateSettings) -> None:
        self.all, self._settings = transfers, settings
        self._times = [one.measured_at for one in transfers]
        self._reports: dict[str, list[Transfer]] = defaultdict(list)
        for one in transfers:
            if one.report:
                self._reports[one.report].append(one)

    def beside(self, transfer: Transfer) -> list[Transfer]:
        """Those to compare a transfer with: of the same report if that has enough sites, else of the hours around it;
        none if there are too few."""
        own = self._reports.get(transfer.report, []) if transfer.report else []
        if self._is_enough(own):
            return own
        span = timedelta(hours=self._settings.beside_hours)
        first = bisect_left(self._times, transfer.measured_at - span)
        last = bisect_right(self._times, transfer.measured_at + span)
        near = list(self.all[first:last])
        return near if self._is_enough(near) else []

    def _is_enough(self, transfers: Sequence[Transfer]) -> bool:
        return len({one.host for one in transfers}) >= self._settings.min_hosts


def _log(transfer: Transfer) -> float:
    rate = transfer.bits_per_second
    return math.log(rate) if rate is not None and rate > 0 else -math.inf


def _level(transfers: Sequence[Transfer]) -> float:
    """How fast a line was, ln of bits a second: the median over sites of their medians."""
    hosts: dict[str, list[float]] = defaultdict(list)
    for one in transfers:
        hosts[one.host].append(_log(one))
    return _median([_median(logs) for logs in hosts.values()])


def _median(logs: Sequence[float]) -> float:
    """The lower of the two in the middle: an infinite one has no mean with another."""
    return sorted(logs)[(len(logs) - 1) // 2]


def _of_service(
    line: Line, mine: list[Transfer], controls: _Controls, settings: RateSettings, engine: Settings
) -> list[Slowdown]:
    beside = {id(one): controls.beside(one) for one in mine}
    levels = {place: _level(beside[id(one)]) for place, one in enumerate(mine) if beside[id(one)]}
    # Where most other sites were cut off too, nothing can be said of this one.
    values = {
        place: _value(mine[place], _log(mine[place]) - level) for place, level in levels.items() if level > -math.inf
    }
    found = slow(values.values(), line, settings.slow, engine)
    made = []
    usual = {one.measurement_uid for one in found.usual}
    for one in found.stretches:
        inside = [transfer for transfer in mine if transfer.measurement_uid in {v.measurement_uid for v in one.values}]
        if _finished(inside) >= settings.min_finished:
            near = {id(other): other for transfer in inside for other in beside[id(transfer)]}
            rest = [transfer for transfer in mine if transfer.measurement_uid in usual]
            made.append(Slowdown(_slow(line, one, inside, list(near.values()), rest, settings), one.spell))
    return made or [Slowdown(_plain(line, mine, len(mine) - len(values), found, settings))]


def _of_line(line: Line, others: Sequence[Transfer], settings: RateSettings, engine: Settings) -> list[Slowdown]:
    found = slow([_value(one, _log(one)) for one in others], line, settings.slow, engine)
    made = []
    usual = {one.measurement_uid for one in found.usual}
    for one in found.stretches:
        slowest = {value.measurement_uid for value in one.values}
        inside = [transfer for transfer in others if transfer.measurement_uid in slowest]
        if len({transfer.host for transfer in inside}) >= settings.min_hosts:
            rest = [transfer for transfer in others if transfer.measurement_uid in usual]
            made.append(Slowdown(_slow(line, one, inside, inside, rest, settings)))
    return made


def _value(transfer: Transfer, log: float) -> Value:
    return Value(transfer.measured_at, transfer.report, transfer.host, transfer.measurement_uid, log)


def _finished(transfers: Iterable[Transfer]) -> int:
    return len({one.report or one.measured_at for one in transfers if one.bits_per_second is not None})


def _slow(
    line: Line, one: SlowStretch, inside: list[Transfer], near: list[Transfer], usual: list[Transfer],
    settings: RateSettings,
) -> RateFinding:  # fmt: skip
    seen, is_targeted = one.spell.seen, bool(line.service)
    rates = _reports(inside)
    because = say("rates.slow") if is_targeted else say("rates.slow.line")
    return RateFinding(
        service=line.service,
        place=line.place,
        network=line.network,
        state=State.THROTTLED if is_targeted else State.INSUFFICIENT,
        kind="targeted" if is_targeted else "generalized",
        onset=seen.onset,
        end=seen.end,
        since=inside[0].measured_at,
        until=inside[-1].measured_at,
        times=round(one.times, 1) if math.isfinite(one.times) else None,
        is_extreme=one.times >= settings.extreme,
        cap_kbits=_kbits(median(rates)) if is_targeted and rates and _is_cap(rates, settings) else None,
        now=side(inside),
        others=side(near),
        usual=side(usual),
        because=str(because),
        said=because.said,
        e_value=seen.e_value,
        simulated=line.simulated,
        measurement_uids=tuple(sorted({transfer.measurement_uid for transfer in inside})),
    )


def _plain(line: Line, mine: list[Transfer], alone: int, found: Slow, settings: RateSettings) -> RateFinding:
    if found.judged:
        state, because = State.OK, say("rates.usual")
    elif alone == len(mine):
        state, because = State.INSUFFICIENT, say("rates.alone", least=settings.min_hosts)
    else:
        state, because = State.INSUFFICIENT, say("rates.unlearned", least=settings.slow.least_usual)
    return RateFinding(
        service=line.service, place=line.place, network=line.network, state=state, kind="", onset=None, end=None,
        since=mine[0].measured_at, until=mine[-1].measured_at, times=None, is_extreme=False, cap_kbits=None,
        now=side(mine), others=Side(0, None), usual=Side(0, None), because=str(because),
        e_value=0.0, simulated=line.simulated, measurement_uids=(), said=because.said,
    )  # fmt: skip


def _reports(transfers: Iterable[Transfer]) -> list[float]:
    """One rate a report of those that finished, sorted: one report is never several."""
    by_report: dict[str, list[float]] = defaultdict(list)
    for one in transfers:
        if one.bits_per_second is not None:
            by_report[one.report or f"{one.measured_at:%Y%m%d%H}"].append(one.bits_per_second)
    return sorted(median(rates) for rates in by_report.values())


def _is_cap(now: list[float], settings: RateSettings) -> bool:
    return (_share(now, 0.9) - _share(now, 0.1)) <= settings.cap_spread * median(now)


def _share(ordered: list[float], share: float) -> float:
    """The value below which this share of a sorted list lies (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def side(transfers: Sequence[Transfer]) -> Side:
    """What transfers say together: one rate a report of those that finished."""
    rates = _reports(transfers)
    every = {one.report or f"{one.measured_at:%Y%m%d%H}" for one in transfers}
    cut = {one.report or f"{one.measured_at:%Y%m%d%H}" for one in transfers if one.bits_per_second is None}
    return Side(len(every), _kbits(median(rates)) if rates else None, len(cut))


def _kbits(bits: float) -> float:
    return round(bits / 1_000, 1)


def sentence(finding: RateFinding, name: str) -> Told:
    """A slow stretch in one sentence; `name` is what a person calls the service."""
    now = finding.now
    both = {
        "service": name,
        "network": finding.network,
        "first": _day(finding.since),
        "last": _day(finding.until),
        "now": speed(now.kbits or 0),
        "usual": speed(finding.usual.kbits or 0),
    }
    mark = say("rates.simulated") if finding.simulated else Told()
    if finding.kind == "generalized":
        return mark + say("rates.generalized", **both)
    cap = say("rates.cap") if finding.cap_kbits else Told()
    cut = say("rates.cut", hit=now.cut_off, all=now.reports) if now.cut_off else Told()
    return mark + say("rates.targeted", **both, others=speed(finding.others.kbits or 0), cap=cap, cut=cut)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def speed(kbits: float) -> Told:
    """A rate for a person: `120 kbit/s`, `8 Mbit/s`."""
    if kbits >= 1_000:
        return say("rate.mbit", rate=f"{kbits / 1_000:.1f}".removesuffix(".0"))
    return say("rate.kbit", rate=f"{kbits:.0f}")
