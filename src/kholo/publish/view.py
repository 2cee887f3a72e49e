"""What the pages are made from: one case with everything computed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from kholo.detect import Outage
from kholo.detect.rates import RateFinding, slow_uids
from kholo.detect.throughput import RatePoint
from kholo.model import Assessment, Case, Checked, Clock, Collapse, DayState, Effect, Incident, State, Vantage, Verdict
from kholo.record.law import Law


class Versions(msgspec.Struct, frozen=True):
    """What decided: the version of kholo and the digests (hex) of the rules, reference data and case."""

    kholo: str
    ruleset: str
    reference: str
    case: str


class Elsewhere(msgspec.Struct, frozen=True):
    """Verdicts of one month (its first day) that rest on no user's line, by state, and on how many networks."""

    vantage: Vantage
    source: str
    month: date
    networks: int
    states: Mapping[State, int]
    simulated: bool


class Others(msgspec.Struct, frozen=True):
    """What else was seen of the lines of a case. Nothing of it is counted as evidence of a block.

    `taken_back`: incidents that looked like a block and are none. `names` are those of the sources, by id.
    """

    taken_back: tuple[Incident, ...] = ()
    outages: tuple[Outage, ...] = ()
    collapses: tuple[Collapse, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    names: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def is_there(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.taken_back or self.outages or self.collapses or self.elsewhere)


class CaseView(msgspec.Struct, frozen=True):
    """One case and all that was computed for it, limited to the case's service, place and time.

    `states` counts verdicts by state, `measurements` the raw measurements and archive results used,
    `rejects` the items of input that could not be. `network_names` maps `AS20294` to a name. `proofs` maps
    an incident's id to a handful of the verdicts that prove it. `as_of` is the moment (UTC) up to which
    everything was counted. `service_name` is what a person calls the service (empty: its id). `slow` are the
    stretches in which the service was throttled by rate, `speeds` how fast it came on these networks over time,
    `others` what is no evidence and still belongs beside it. `checklist` is the three-part test, `law` the provisions
    concerned, `effect` the estimates of what it did to people.
    """

    case: Case
    incidents: tuple[Incident, ...]
    days: tuple[DayState, ...]
    assessments: tuple[Assessment, ...]
    clocks: tuple[Clock, ...]
    states: Mapping[State, int]
    measurements: int
    rejects: int
    network_names: Mapping[str, str]
    as_of: datetime
    versions: Versions
    proofs: Mapping[str, tuple[Verdict, ...]] = msgspec.field(default_factory=dict)
    service_name: str = ""
    slow: tuple[RateFinding, ...] = ()
    others: Others = Others()
    checklist: tuple[Checked, ...] = ()
    law: tuple[Law, ...] = ()
    effect: Effect | None = None
    speeds: tuple[RatePoint, ...] = ()

    @property
    def service(self) -> str:
        """The service as a person would name it."""
        return self.service_name or self.case.service

    @property
    def simulated(self) -> bool:
        """True when any part of the view is invented: one simulated row marks the whole page."""
        return (
            self.case.simulated
            or any(row.simulated for row in self.incidents)
            or any(row.simulated for row in self.days)
            or any(row.simulated for row in self.slow)
            or any(row.simulated for row in self.speeds)
            or any(row.simulated for row in self.others.taken_back)
            or any(row.simulated for row in self.others.collapses)
            or any(row.simulated for row in self.others.elsewhere)
            or any(row.simulated for rows in self.proofs.values() for row in rows)
        )

    @property
    def slow_uids(self) -> frozenset[str]:
        """The measurements whose transfers were so slow that they show throttling."""
        return slow_uids(self.slow)

    @property
    def window(self) -> tuple[date, date]:
        """First and last day (UTC, both inside) that the case asks about; an open case ends at `as_of`."""
        last = self.case.end or self.as_of.date()
        return self.case.start, max(self.case.start, last)
