"""A case set against a store: everything that its pages, assessments and clocks need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb
import msgspec

from kholo import __version__
from kholo.detect import Month
from kholo.detect.rates import RateFinding
from kholo.detect.throughput import RatePoint, throughput
from kholo.judge import Judge
from kholo.model import (
    IMPAIRED,
    Assessment,
    Case,
    Cell,
    Checked,
    Clock,
    Collapse,
    DayState,
    Effect,
    Incident,
    State,
    Verdict,
)
from kholo.publish import CaseView, Elsewhere, Others, Versions
from kholo.record import assess, checklist, clocks, effect, load_case, load_effect, with_changes
from kholo.record.law import law_of
from kholo.store import Store, rows

from .events import Events, events
from .others import elsewhere, lines_out, source_names
from .proofs import proofs_of
from .rates import transfers
from .verdicts import Filter, judged


class Assessed(msgspec.Struct, frozen=True):
    """A case with what the evidence says of it. `taken_back`: incidents that looked like a block and are none.

    `found` and `cells`: all incidents of its service and place, and all hours, of any time.
    """

    case: Case
    events: Events
    assessments: tuple[Assessment, ...]
    clocks: tuple[Clock, ...]
    checklist: tuple[Checked, ...] = ()
    taken_back: tuple[Incident, ...] = ()
    found: tuple[Incident, ...] = ()
    cells: tuple[Cell, ...] = ()


class Declared(msgspec.Struct, frozen=True):
    """What the figures of a case rest on besides its own measurements, where a store does not have it.

    `months` teach what reachable lines in other places look like, `elsewhere` is what was seen from no user's line,
    `rejects` counts input that could not be read, by reason.
    """

    months: tuple[Month, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    rejects: Mapping[str, int] = msgspec.field(default_factory=dict)


def assessed(
    folder: Path, store: Store | None, judge: Judge, as_of: datetime, declared: Declared | None = None
) -> Assessed:
    """Read a case and set it against the store (None: against published findings alone).

    Real cases see real rows only and simulated cases simulated ones: the two never meet. Incidents in which the service
    or the network was down, or the measuring changed, accuse nobody and are kept apart. Raises `CaseError`.
    """
    case = load_case(folder, judge.reference.services.ids)
    measured = _measured(case, store, judge, as_of, declared)
    seen = _happened(case, measured)
    accusing = tuple(item for item in seen.incidents if item.state in IMPAIRED)
    happened = msgspec.structs.replace(seen, incidents=accusing)
    found = clocks(case, seen.incidents, seen.days, as_of)
    return Assessed(
        case=case,
        events=happened,
        assessments=assess(case, seen.incidents, seen.days, as_of, judge.reference.services.name(case.service)),
        clocks=found,
        checklist=checklist(case, happened.incidents, found, as_of),
        taken_back=tuple(item for item in seen.incidents if item.state not in IMPAIRED),
        found=measured.incidents,
        cells=tuple(item for item in measured.cells if item.simulated == case.simulated),
    )


def _measured(case: Case, store: Store | None, judge: Judge, as_of: datetime, declared: Declared | None) -> Events:
    if store is None:
        return Events((), ())
    months = None if declared is None else declared.months
    return events(store, judge, Filter(service=case.service, place=case.place, until=as_of), months)


def _happened(case: Case, seen: Events) -> Events:
    """What of the events is of the case."""
    return Events(
        tuple(item for item in seen.incidents if item.simulated == case.simulated and _touches(item, case)),
        tuple(item for item in seen.days if item.simulated == case.simulated and _in_case(item, case)),
        tuple(item for item in seen.collapses if item.simulated == case.simulated and _overlaps(item, case)),
        rates=tuple(item for item in seen.rates if _concerns(item, case)),
    )


def _touches(incident: Incident, case: Case) -> bool:
    return incident.last_seen.date() >= case.start and (case.end is None or incident.onset.earliest.date() <= case.end)


def _overlaps(collapse: Collapse, case: Case) -> bool:
    lasts = collapse.until is None or collapse.until.date() >= case.start
    return lasts and (case.end is None or collapse.since.date() <= case.end)


def _in_case(day: DayState, case: Case) -> bool:
    return day.day >= case.start and (case.end is None or day.day <= case.end)


def view(
    folder: Path, store: Store | None, judge: Judge, as_of: datetime, declared: Declared | None = None
) -> CaseView:
    """Everything that the pages of a case are made from. Raises `CaseError`."""
    return shown(folder, assessed(folder, store, judge, as_of, declared), store, judge, as_of, declared)


def shown(
    folder: Path, found: Assessed, store: Store | None, judge: Judge, as_of: datetime, declared: Declared | None = None
) -> CaseView:
    """As `view`, of a case that was assessed already."""
    seen = _seen(found, store, judge, as_of, declared) if store else _Seen()
    return CaseView(
        case=found.case,
        incidents=found.events.incidents,
        days=found.events.days,
        assessments=found.assessments,
        clocks=found.clocks,
        states=seen.states,
        measurements=sum(seen.states.values()),
        rejects=seen.rejects,
        network_names={},
        as_of=as_of,
        versions=Versions(__version__, judge.ruleset.digest, judge.reference.digest, found.case.digest),
        proofs=seen.proofs,
        service_name=judge.reference.services.name(found.case.service),
        slow=seen.slow,
        others=seen.others,
        checklist=found.checklist,
        law=law_of(found.case.place),
        effect=case_effect(folder, found, as_of, {}),
        speeds=seen.speeds,
    )


class _Seen(msgspec.Struct, frozen=True):
    """What only the rows of a store say of a case."""

    states: Mapping[State, int] = {}
    rejects: int = 0
    proofs: Mapping[str, tuple[Verdict, ...]] = {}
    slow: tuple[RateFinding, ...] = ()
    speeds: tuple[RatePoint, ...] = ()
    others: Others = Others()


def _seen(found: Assessed, store: Store, judge: Judge, as_of: datetime, declared: Declared | None) -> _Seen:
    case, slow = found.case, found.events.rates
    networks = sorted({item.network for item in found.events.days})
    with judged(store, judge) as db:
        rejects = rejects_of(db) if declared is None else declared.rejects
        return _Seen(
            states=_states(db, case, as_of),
            rejects=sum(rejects.values()),
            proofs={item.incident_id: proofs_of(db, item, slow) for item in found.events.incidents},
            slow=slow,
            speeds=_speeds(db, found, judge, as_of),
            others=Others(
                taken_back=found.taken_back,
                outages=lines_out(db, case, networks, as_of),
                collapses=found.events.collapses,
                elsewhere=elsewhere(db, case, as_of) if declared is None else declared.elsewhere,
                names=source_names(),
            ),
        )


def rejects_of(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How much input of a store could not be read, by reason."""
    return dict(db.execute("SELECT reason, count(*) FROM rejects GROUP BY reason ORDER BY reason").fetchall())


def case_effect(folder: Path, found: Assessed, as_of: datetime, changes: Mapping[str, float]) -> Effect:
    """What the block did to people, with inputs changed by hand. Raises `CaseError`, `UsageError`."""
    inputs = with_changes(load_effect(folder), changes)
    return effect(found.case, inputs, found.events.incidents, as_of)


def _concerns(finding: RateFinding, case: Case) -> bool:
    """Whether the service was throttled by rate within the time of the case."""
    return (
        finding.state is State.THROTTLED
        and finding.simulated == case.simulated
        and finding.until.date() >= case.start
        and (case.end is None or finding.since.date() <= case.end)
    )


def _speeds(db: duckdb.DuckDBPyConnection, found: Assessed, judge: Judge, as_of: datetime) -> tuple[RatePoint, ...]:
    """How fast the service came over time, on the networks on which it was throttled by rate."""
    case, networks = found.case, {one.network for one in found.events.rates}
    if not networks:
        return ()
    seen = transfers(db, judge.reference, Filter(place=case.place, until=as_of))
    return throughput(seen, case.service, networks, (case.start, case.end or as_of.date()), case.simulated)


def _states(db: duckdb.DuckDBPyConnection, case: Case, as_of: datetime) -> dict[State, int]:
    wanted = Filter(service=case.service, place=case.place, until=as_of)
    condition, values = wanted.sql()
    query = (
        f"SELECT state, count(*) AS n FROM counted WHERE simulated = ? AND {condition} GROUP BY state ORDER BY state"  # noqa: S608
    )
    return {State(row["state"]): row["n"] for row in rows(db.execute(query, [case.simulated, *values]))}
