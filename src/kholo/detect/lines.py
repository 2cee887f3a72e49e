"""What archives say of whole lines, set beside an incident: was the line out, or slow as a whole?

Two errors are possible, and neither may happen. An outage called a block accuses wrongly: so reports that failed inside
of outages prove no block. A block explained by an outage is denied wrongly: so a line counts as out only where most of
it was, by a signal of its own network or by two of the whole country, and not while unrelated sites got through on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

import msgspec

from kholo.model import IMPAIRED, Bracket, Collapse, Incident, NetworkSpell
from kholo.wording import Told, joined

from .incidents import narrowed
from .wording import say

#: Archives give the times of outages in steps of five to ten minutes, and merge what is close.
_SLACK = timedelta(minutes=30)
#: Mean shares of a line lost: from where on it is out, and below which nothing is said.
_DEEP, _SHALLOW = 0.5, 0.1
#: Of the failed reports, the share that must lie inside of outages to be explained by them.
_ALMOST_ALL = 0.9
#: Reports that an incident needs (`Settings.min_reports`): what fewer show outside of outages is no block by itself.
_LEAST_REPORTS = 3
#: For so long an outage whose end is not known counts. Some are never closed by those who wrote them down.
_OPEN = timedelta(days=7)
#: Whole countries: different witnesses that must agree.
_WITNESSES = 2
#: Of a collapse of volume, the part that an outage must cover to confirm it; where it lasts, the least time.
_COVERED, _LEAST_TIME = 0.25, timedelta(hours=6)
#: Speeds: days before that are "usual", days looked at, days of them needed, tests a day, and what is a strong fall.
_BEFORE, _DURING, _DAYS_BEFORE, _TESTS, _FALL = timedelta(days=28), timedelta(days=28), 7, 10, 0.5
_SHOWN = 4


class Outage(msgspec.Struct, frozen=True):
    """One outage that an archive tells of. `network` "" means the whole country.

    Signals that rest on the same observations have one `witness`. `drop` is the mean share lost, from 0 to 1, None
    where the archive gives none. `is_sure`: it is of the whole line, and somebody or something established it. `detail`
    is the archive's own words.
    """

    since: datetime
    network: str
    witness: str
    source: str
    signal: str
    until: datetime | None = None
    drop: float | None = None
    is_sure: bool = True
    detail: str = ""

    @property
    def is_deep(self) -> bool:
        """Whether most of the line was out, for certain."""
        return self.is_sure and (self.drop is None or self.drop >= _DEEP)

    @property
    def is_worth_a_word(self) -> bool:
        """Whether more than a little was out, as far as is known."""
        return self.drop is None or self.drop >= _SHALLOW

    @property
    def end(self) -> datetime:
        """Up to when it counts."""
        return self.until or self.since + _OPEN


class Report(msgspec.Struct, frozen=True, order=True):
    """One report on the networks of an incident, with the times of its first and last decisive result.

    `is_own`: it measured the incident's service; else, sites that no service of the registry has.
    """

    first: datetime
    last: datetime
    network: str
    is_own: bool
    is_failed: bool


class Speed(msgspec.Struct, frozen=True, order=True):
    """The median download speed (Mbit/s) of a day, and how many tests it is of. `network` "": the whole country."""

    day: date
    network: str
    rate: float
    tests: float


class Around(msgspec.Struct, frozen=True):
    """What is known of the lines of an incident, and what was measured on them in its time."""

    outages: Sequence[Outage] = ()
    reports: Sequence[Report] = ()
    speeds: Sequence[Speed] = ()


def in_order(told: Iterable[Outage]) -> list[Outage]:
    """The same outages in the same order, however they came."""
    return sorted(told, key=lambda one: (one.since, one.network, one.source, one.signal, one.end, one.drop or 0.0))


def outage(incident: Incident, around: Around) -> tuple[Incident | None, list[Told]]:
    """What is left of an incident outside of outages (None: nothing), and in words what they explain.

    A spell whose failed reports nearly all lie inside of outages of its line is left out; of another one that begins or
    ends inside of them the dates rest on the reports outside.
    """
    told = in_order(one for one in around.outages if one.is_worth_a_word)
    failed = sorted(one for one in around.reports if one.is_own and one.is_failed)
    dead, through = _dead(told, around.reports)
    said, left = [], []
    for spell in incident.spells:
        mine = [one for one in failed if _is_of(one, spell)]
        inside = [one for one in mine if one in dead]
        kept = _outside(spell, mine, inside)
        left += [kept] if kept else []
        if inside:
            said.append(_said(spell.network, mine, inside, told, is_left=kept is not None))
    said += _doubts(told, failed, dead, through)
    if not any(not spell.is_dark for spell in left):
        return None, said
    return (incident if tuple(left) == incident.spells else narrowed(incident, left)), said


def _dead(told: Sequence[Outage], reports: Sequence[Report]) -> tuple[set[Report], list[Report]]:
    """The failed reports whose line was out, and those of unrelated sites that show that it was not."""
    inside = [one for one in reports if _is_out(told, one)]
    dead, through = set(), []
    for network in {one.network for one in inside}:
        others = [one for one in inside if one.network == network and not one.is_own]
        fine = [one for one in others if not one.is_failed]
        if len(fine) >= _LEAST_REPORTS and 2 * len(fine) >= len(others):
            through += fine
        else:
            dead |= {one for one in inside if one.network == network and one.is_own and one.is_failed}
    return dead, through


def _is_of(one: Report, spell: NetworkSpell) -> bool:
    return one.network == spell.network and spell.onset.earliest <= one.first and one.first <= spell.last_seen


def _outside(spell: NetworkSpell, mine: Sequence[Report], inside: Sequence[Report]) -> NetworkSpell | None:
    """The spell as what failed outside of outages shows it. None where that is no block by itself."""
    if not inside:
        return spell
    rest = [one for one in mine if one not in inside]
    if len(inside) >= _ALMOST_ALL * len(mine) or (len(rest) < _LEAST_REPORTS and len(inside) >= len(rest)):
        return None
    onset, end, last = spell.onset, spell.end, spell.last_seen
    if mine[0] in inside:
        onset = Bracket(onset.earliest, max(onset.latest, _minute(rest[0].first)))
    if mine[-1] in inside:
        last = min(last, max(one.last for one in rest))
        end = Bracket(min(end.earliest, last), end.latest) if end else None
    reports = min(spell.reports, len(rest))
    results = max(reports, spell.results - len(inside))
    return msgspec.structs.replace(spell, onset=onset, end=end, last_seen=last, reports=reports, results=results)


def _minute(moment: datetime) -> datetime:
    """The full minute that is not before: as brackets are."""
    down = moment.replace(second=0, microsecond=0)
    return down if down == moment else down + timedelta(minutes=1)


def _said(
    network: str, mine: Sequence[Report], inside: Sequence[Report], told: Sequence[Outage], *, is_left: bool
) -> Told:
    rest = len(mine) - len(inside)
    so = say("outage.left", rest=rest) if is_left else say("outage.few", rest=rest) if rest else say("outage.all")
    return say("outage", network=network, hit=len(inside), all=len(mine), lines=_holding(told, inside), so=so)


def _doubts(
    told: Sequence[Outage], failed: Sequence[Report], dead: set[Report], through: Sequence[Report]
) -> list[Told]:
    """Outages that decide nothing, in words."""
    works = {one.network for one in through}
    open_ = [one for one in failed if one not in dead and any(_holds(line, one) for line in told)]
    in_part = [one for one in open_ if one.network not in works]
    at_work = [one for one in open_ if one.network in works]
    said = []
    if in_part:
        said.append(say("outage.part", hit=len(in_part), all=len(failed), lines=_holding(told, in_part)))
    if at_work:
        lines = _holding(told, at_work)
        said.append(say("outage.through", hit=len(at_work), all=len(failed), lines=lines, through=len(through)))
    return said


def _holding(told: Sequence[Outage], reports: Sequence[Report]) -> Told:
    return _named([line for line in told if any(_holds(line, one) for one in reports)])


def _holds(line: Outage, one: Report) -> bool:
    """Whether a report lies in the time of an outage of its own line."""
    on_line = line.network in ("", one.network)
    return on_line and line.since - _SLACK <= one.first and one.last <= line.end + _SLACK


def _is_out(told: Sequence[Outage], one: Report) -> bool:
    """Whether its line was out, by a signal of the network itself or by different ones of the whole country."""
    holding = [line for line in told if line.is_deep and _holds(line, one)]
    return any(line.network for line in holding) or len({line.witness for line in holding}) >= _WITNESSES


def _named(lines: Sequence[Outage]) -> Told:
    named = joined(_line(line, is_first=place == 0) for place, line in enumerate(lines[:_SHOWN]))
    return named + say("outage.more", rest=len(lines) - _SHOWN) if len(lines) > _SHOWN else named


def _line(line: Outage, *, is_first: bool) -> Told:
    return say(
        "outage.line" if is_first else "outage.next",
        source=line.source,
        signal=line.signal,
        line=line.network or say("whole"),
        since=f"{line.since:%Y-%m-%d %H:%M}",
        until=f"{line.until:%Y-%m-%d %H:%M}" if line.until else say("outage.open"),
        lost=say("outage.lost", percent=f"{line.drop * 100:.0f}") if line.drop is not None else Told(),
    )


def slowed(incident: Incident, around: Around) -> list[Told]:
    """Where a whole line became slow in the same days, in words. It accuses nobody and excuses nobody."""
    if incident.state not in IMPAIRED:
        return []
    begin, after = incident.onset.earliest.date(), incident.onset.latest.date()
    last = min(incident.last_seen.date(), after + _DURING)
    made = []
    for network in ("", *incident.networks):
        days = sorted(one for one in around.speeds if one.network == network and one.tests >= _TESTS)
        before = [one.rate for one in days if begin - _BEFORE <= one.day < begin]
        during = [one.rate for one in days if after <= one.day <= last]
        if len(before) < _DAYS_BEFORE or not during or median(during) > _FALL * median(before):
            continue
        made.append(
            say(
                "speed",
                line=network or say("speed.whole"),
                now=f"{median(during):.3g}",
                days=len(during),
                before=f"{median(before):.3g}",
            )
        )
    return made


def confirmed(collapse: Collapse, told: Sequence[Outage]) -> Collapse:
    """The collapse with the archives that tell of an outage of the same line at the time."""
    end = collapse.until or datetime.combine(date.max, time(), UTC)
    least = _COVERED * (end - collapse.since) if collapse.until else _LEAST_TIME
    sources = {
        line.source
        for line in told
        if line.is_deep
        and line.network in ("", collapse.network)
        and min(line.end, end) - max(line.since, collapse.since) >= least
    }
    return msgspec.structs.replace(collapse, confirmed_by=tuple(sorted(sources)))
