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

from kholo.model import IMPAIRED, Collapse, Incident, Kind

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


def outage(around: Around) -> tuple[Kind | None, str]:
    """`SHUT_DOWN` where outages explain that it failed, and in words what they explain ("": nothing)."""
    told = in_order(one for one in around.outages if one.is_worth_a_word)
    failed = [one for one in around.reports if one.is_own and one.is_failed]
    touched = [one for one in failed if any(_holds(line, one) for line in told)]
    if not touched:
        return None, ""
    inside = [one for one in touched if _is_out(told, one)]
    rest = len(failed) - len(inside)
    of = f"of {len(failed)} failed reports lie in hours"
    lines = _named([line for line in told if any(_holds(line, one) for one in touched)])
    if len(inside) < _ALMOST_ALL * len(failed) and (rest >= _LEAST_REPORTS or len(inside) < rest):
        weak = "" if len(inside) == len(touched) else ", or part of it was, or one signal alone tells so"
        return None, (
            f"{len(touched)} {of} in which the line was out{weak} ({lines}): for those hours it is left open whether it"
            f" was blocked; {len(failed) - len(touched)} lie outside of any outage"
        )
    through = [one for one in around.reports if not one.is_own and _is_out(told, one)]
    fine = sum(not one.is_failed for one in through)
    if fine >= _LEAST_REPORTS and 2 * fine >= len(through):
        return None, (
            f"{len(inside)} {of} for which an outage is told ({lines}), but unrelated sites got through on these"
            f" networks then, in {fine} of {len(through)} reports: the outage does not explain it, and for those hours"
            " it is left open"
        )
    few = f"; the other {rest} are fewer than a block needs" if rest else ""
    return Kind.SHUT_DOWN, f"{len(inside)} {of} in which the line was out: {lines}{few}"


def _holds(line: Outage, one: Report) -> bool:
    """Whether a report lies in the time of an outage of its own line."""
    on_line = line.network in ("", one.network)
    return on_line and line.since - _SLACK <= one.first and one.last <= line.end + _SLACK


def _is_out(told: Sequence[Outage], one: Report) -> bool:
    """Whether its line was out, by a signal of the network itself or by different ones of the whole country."""
    holding = [line for line in told if line.is_deep and _holds(line, one)]
    return any(line.network for line in holding) or len({line.witness for line in holding}) >= _WITNESSES


def _named(lines: Sequence[Outage]) -> str:
    said = [
        f"{line.source} {line.signal}, {line.network or 'the whole country'}, {line.since:%Y-%m-%d %H:%M} to"
        f" {f'{line.until:%Y-%m-%d %H:%M}' if line.until else 'no end told'}"
        + (f", {line.drop:.0%} lost" if line.drop is not None else "")
        for line in lines
    ]
    more = f"; and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def slowed(incident: Incident, around: Around) -> list[str]:
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
            f"speed tests (M-Lab): {network or 'the country as a whole'} ran at {median(during):.3g} Mbit/s (median of"
            f" {len(during)} days of it), at {median(before):.3g} in the four weeks before: the whole line became slow,"
            " whatever the service"
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
