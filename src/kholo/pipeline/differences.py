"""Two sets of verdicts on the same measurements: which changed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kholo.judge import Judge, names
from kholo.store import Store, rows

from . import sets
from .verdicts import Filter, stored, verdict_files

_CHANGED = """
FROM before JOIN after USING (measurement_uid, content)
WHERE (before.state, before.mechanism, before.rule_id, before.also::VARCHAR, before.reachable, before.locus)
  IS DISTINCT FROM (after.state, after.mechanism, after.rule_id, after.also::VARCHAR, after.reachable, after.locus)
"""


class Said(msgspec.Struct, frozen=True):
    """What one set says of a measurement."""

    state: str
    mechanism: str | None
    rule_id: str


class Difference(msgspec.Struct, frozen=True):
    """A verdict that changed. `gained` and `lost` are facts that only the later or the earlier set saw."""

    measurement_uid: str
    input: str | None
    measured_at: Any
    place: str
    network: str
    service: str | None
    simulated: bool
    before: Said
    after: Said
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    why: str


def summary(store: Store, before: str, after: str, wanted: Filter) -> list[dict[str, Any]]:
    """How many verdicts went from which state to which, the commonest first."""
    condition, values = _wanted(wanted)
    query = (
        f"SELECT before.state AS before, after.state AS after, count(*) AS n {_CHANGED} AND {condition}"
        " GROUP BY ALL ORDER BY n DESC, before, after"
    )
    with _both(store, before, after) as db:
        return list(rows(db.execute(query, values)))


def differences(store: Store, before: str, after: str, wanted: Filter) -> Iterator[Difference]:
    """The verdicts that changed from one set to another, by time, then id."""
    condition, values = _wanted(wanted)
    query = (
        "SELECT measurement_uid, content, after.input, after.measured_at, after.place, after.network,"
        " after.service, after.simulated, after.filename, before.state AS state, before.mechanism AS mechanism,"
        " before.rule_id AS rule_id, after.state AS state_2, after.mechanism AS mechanism_2, after.rule_id AS rule_id_2"
        f" {_CHANGED} AND {condition} ORDER BY after.measured_at, measurement_uid, content"
    )
    judges = sets.load(store, before), sets.load(store, after)
    with _both(store, before, after) as db:
        for row in rows(db.execute(query, values)):
            yield _difference(store, judges, row)


def _wanted(wanted: Filter) -> tuple[str, list[Any]]:
    condition, values = wanted.sql()
    for name in ("service", "place", "network", "state", "measured_at", "measurement_uid"):
        condition = condition.replace(f"{name} ", f"after.{name} ")
    return condition.replace("after.measurement_uid ", "measurement_uid "), values


def _both(store: Store, before: str, after: str) -> Any:
    db = store.connect()
    for view, name in (("before", before), ("after", after)):
        store.view(db, "verdicts", verdict_files(store, name), view)
    return db


def _difference(store: Store, judges: tuple[Judge, Judge], row: dict[str, Any]) -> Difference:
    first, second = (Said(*(row[f"{key}{end}"] for key in Said.__struct_fields__)) for end in ("", "_2"))
    seen = [_facts(store, judge, row) for judge in judges]
    gained, lost = tuple(sorted(seen[1] - seen[0])), tuple(sorted(seen[0] - seen[1]))
    return Difference(
        row["measurement_uid"], row["input"], row["measured_at"], row["place"], row["network"], row["service"],
        row["simulated"], first, second, gained, lost, _why(judges, first, second, gained, lost),
    )  # fmt: skip


def _facts(store: Store, judge: Judge, row: dict[str, Any]) -> set[str]:
    """The facts that a judge sees in a measurement, hop by hop or part by part."""
    part = store.parts / Path(row["filename"]).stem
    return {
        name
        for measurement, observations in stored(store, part, row["measurement_uid"])
        for unit in judge.units(measurement, observations)
        for name in names(unit.facts)
    }


def _why(judges: tuple[Judge, Judge], before: Said, after: Said, gained: tuple[str, ...], lost: tuple[str, ...]) -> str:
    if gained or lost:
        parts = [f"now seen: {', '.join(gained)}"] if gained else []
        parts += [f"no longer seen: {', '.join(lost)}"] if lost else []
        return "; ".join(parts)
    old, new = ({rule.id: rule for rule in judge.ruleset.rules} for judge in judges)
    if before.rule_id not in new:
        return f"the rule {before.rule_id} is gone"
    if after.rule_id not in old:
        return f"the rule {after.rule_id} is new"
    if before.rule_id == after.rule_id:
        return f"the rule {after.rule_id} says something else now"
    changed = [name for name in (before.rule_id, after.rule_id) if old[name] != new[name]]
    return f"the conditions of {' and '.join(changed)} changed" if changed else "the rules stand in another order"
