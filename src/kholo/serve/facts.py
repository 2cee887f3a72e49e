"""Everything that is served besides verdicts, as rows with the columns that one may ask for."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import msgspec

from kholo.detect import incident_json
from kholo.detect.rates import slow_uids
from kholo.judge import Judge
from kholo.model import Case, DayState, Incident, Verdict
from kholo.pipeline.events import events, rates_of
from kholo.pipeline.proofs import proofs_of
from kholo.pipeline.signals import SignalFilter, select
from kholo.pipeline.verdicts import Filter, judged
from kholo.publish import CaseView, answer
from kholo.store import Store

from .fill import moment
from .index import FACTS, HASH_BITS, LAYOUT, opened
from .rows import CaseRow, NetworkRow, Proofs, ServiceRow, SignalRow

_ENCODER = msgspec.json.Encoder()
#: What has no end lasts until then, and what has no beginning began here (seconds since 1970).
_EVER, _NEVER = 1 << 40, -(1 << 40)


class Fact(msgspec.Struct, frozen=True):
    """One row: its JSON, the key by which rows of its kind are in order, and what one may ask for.

    `owner` is the case that it is of. `network` may name several, with spaces around. Times are seconds since 1970 UTC.
    """

    kind: str
    key: str
    row: bytes
    simulated: bool = False
    owner: str = ""
    service: str = ""
    place: str = ""
    network: str = ""
    state: str = ""
    since: int = _NEVER
    until: int = _EVER


def write(facts: Iterable[Fact], folder: Path) -> tuple[str, str]:
    """Write a file of facts; its name and its digest, which follow from the rows alone."""
    rows = sorted(facts, key=lambda fact: (fact.kind, fact.key))
    digest = hashlib.blake2b(LAYOUT.encode(), digest_size=12)
    for row in rows:
        digest.update(_ENCODER.encode(row))
    name = f"facts-{digest.hexdigest()}.sqlite"
    path = folder / name
    if not path.exists():
        draft = path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        db = opened(draft, is_new=True, schema=FACTS)
        names = ("kind", "key", "simulated", "owner", "service", "place", "network", "state", "since", "until", "row")
        values = ([getattr(row, name) for name in names] for row in rows)
        db.execute("BEGIN")
        db.executemany(f"INSERT OR REPLACE INTO facts VALUES ({', '.join('?' * len(names))})", values)  # noqa: S608
        db.execute("COMMIT")
        db.close()
        draft.rename(path)
    return name, digest.hexdigest()


def of_judge(judge: Judge) -> Iterator[Fact]:
    """Services and rules."""
    for one in judge.reference.services.services:
        row = ServiceRow(one.id, one.name, one.all_of, one.any_of, one.hosts, one.tests, one.simulated)
        yield Fact("service", one.id, _ENCODER.encode(row), one.simulated, service=one.id)
    for place, rule in enumerate(judge.ruleset.rules):
        yield Fact("rule", f"{place:06}", _ENCODER.encode(rule), owner=rule.id, state=rule.state)


def of_store(store: Store, judge: Judge) -> Iterator[Fact]:
    """Incidents, days and signals; and the proofs of incidents that speed shows, which no state tells of.

    So are the measurements whose transfers were slow in such an incident.
    """
    seen = events(store, judge, Filter())
    yield from map(_incident, seen.incidents)
    yield from map(_day, seen.days)
    by_speed = [(one, rates) for one in seen.incidents if (rates := rates_of(one, seen.rates))]
    if by_speed:
        with judged(store, judge) as db:
            for one, rates in by_speed:
                slow = slow_uids(rates)
                yield _proof(one, proofs_of(db, one, rates), slow)
                yield from (Fact("slow", uid, _ENCODER.encode(one.incident_id), one.simulated) for uid in sorted(slow))
    with store.connect() as db:
        for row in select(db, SignalFilter()):
            yield _signal(row)


def of_networks(db: sqlite3.Connection) -> Iterator[Fact]:
    """The networks of the verdicts in an index."""
    query = (
        "SELECT network, place, sum(rows), count(DISTINCT nullif(service, '')), min(first), max(last), simulated"
        " FROM groups WHERE rows > 0 GROUP BY network, place, simulated"
    )
    for network, place, many, services, first, last, simulated in db.execute(query):
        begin, end = ((key >> HASH_BITS) for key in (first, last))
        span = moment(begin * 1_000_000), moment(end * 1_000_000)
        row = NetworkRow(network, place, many, services, *span, bool(simulated))
        key = f"{network} {place} {simulated}"
        yield Fact("network", key, _ENCODER.encode(row), bool(simulated), "", "", place, network, "", begin, end)


def of_case(view: CaseView) -> Iterator[Fact]:
    """A case, its entries, assessments and clocks."""
    case, said = view.case, answer(view)
    row = CaseRow(
        case.id, case.title, case.service, case.place, case.summary, case.start, case.end, said.sentence, said.state,
        said.grade, case.limits, view.measurements, len(case.entries), len(view.assessments), len(view.clocks),
        view.as_of, case.digest, view.simulated, _titles(case),
    )  # fmt: skip
    since, until = _day_second(case.start), _day_second(case.end, end=True) if case.end else _EVER
    about: dict[str, Any] = {
        "simulated": view.simulated,
        "owner": case.id,
        "service": case.service,
        "place": case.place,
    }
    yield Fact("case", case.id, _ENCODER.encode(row), **about, state=said.state, since=since, until=until)
    parts = (("entry", case.entries), ("assessment", view.assessments), ("clock", view.clocks))
    for kind, items in parts:
        for place, item in enumerate(items):
            row_ = {**msgspec.to_builtins(item), "case": case.id, "simulated": view.simulated}
            row_.pop("file", None)
            yield Fact(kind, f"{case.id} {place:06}", _ENCODER.encode(row_), **about)


def _titles(case: Case) -> dict[str, str]:
    own = {code: one.texts.get(case.title) for code, one in sorted(case.languages.items())}
    return {code: title for code, title in own.items() if title}


def _incident(one: Incident) -> Fact:
    last = one.end.latest if one.end else None
    return Fact(
        "incident", one.incident_id, _ENCODER.encode(incident_json(one)), one.simulated, "", one.service, one.place,
        f" {' '.join(one.networks)} ", one.state, _second(one.onset.earliest), _second(last) if last else _EVER,
    )  # fmt: skip


def _proof(one: Incident, verdicts: Sequence[Verdict], slow: Collection[str]) -> Fact:
    known = tuple(row.measurement_uid for row in verdicts if row.measurement_uid in slow)
    return Fact("proof", one.incident_id, _ENCODER.encode(Proofs(tuple(verdicts), known)), one.simulated)


def day_key(service: str, place: str, network: str, day: date) -> str:
    """Where the keys of a day begin: rows of a network are in the order of time."""
    return f"{service} {place} {network} {day.isoformat()}"


def _day(one: DayState) -> Fact:
    key = f"{day_key(one.service, one.place, one.network, one.day)} {one.simulated:d}"
    begin, end = _day_second(one.day), _day_second(one.day, end=True)
    return Fact(
        "day", key, _ENCODER.encode(one), one.simulated, "", one.service, one.place, one.network, one.state, begin, end
    )


def _signal(row: dict[str, Any]) -> Fact:
    names = SignalRow.__struct_fields__
    made = {name: row[name] for name in names}
    parts = [row[name] for name in ("source", "signal", "kind", "place", "network", "service")]
    key = " ".join([f"{row['since']:%Y-%m-%dT%H:%M:%S.%f}", *map(str, parts), str(int(row["simulated"]))])
    until = _second(row["until"]) if row["until"] else _EVER
    return Fact(
        "signal", key, _ENCODER.encode(made), row["simulated"], "", row["service"], row["place"], row["network"],
        row["kind"], _second(row["since"]), until,
    )  # fmt: skip


def _second(when: datetime) -> int:
    return int(when.timestamp())


def _day_second(day: date, *, end: bool = False) -> int:
    """The first second of a day (UTC), or the last."""
    return int(datetime.combine(day, time(), UTC).timestamp()) + (86_399 if end else 0)
