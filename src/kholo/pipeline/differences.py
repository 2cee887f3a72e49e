"""Two sets of verdicts on the same measurements: which changed, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from kholo.judge import Judge, Rule, Ruleset, names
from kholo.model import Measurement, Observation, Verdict
from kholo.store import Store, rows

from . import sets
from .verdicts import Filter, one_each, stored, verdict_files

#: Changes explained at once: enough that a part is opened seldom, few enough to be flat in memory.
_BATCH = 10_000
#: Further rules named as a reason.
_NAMED = 5


class Said(msgspec.Struct, frozen=True):
    """What one set says of a measurement."""

    state: str
    mechanism: str | None
    rule_id: str
    layer: str | None
    also: tuple[str, ...]
    reachable: bool | None
    locus: str
    evidence: str


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


def _said(view: str) -> str:
    return "struct_pack(" + ", ".join(f"{name} := {view}.{name}" for name in Said.__struct_fields__) + ")"


_CHANGED = f"FROM before JOIN after USING (measurement_uid) WHERE {_said('before')} IS DISTINCT FROM {_said('after')}"


def summary(store: Store, before: str, after: str, wanted: Filter) -> list[dict[str, Any]]:
    """How many verdicts went from which state to which, the commonest first."""
    condition, values = _wanted(wanted)
    query = (
        f"SELECT before.state AS before, after.state AS after, count(*) AS n {_CHANGED} AND {condition}"
        " GROUP BY ALL ORDER BY n DESC, before, after"
    )
    with _both(store, before, after) as db:
        return list(rows(db.execute(query, values)))


def differences(store: Store, before: str, after: str, wanted: Filter, limit: int = 0) -> Iterator[Difference]:
    """The verdicts that changed from one set to another, by time, then id; the first `limit` of them (0: all)."""
    condition, values = _wanted(wanted)
    query = (
        "SELECT measurement_uid, after.input, after.measured_at, after.place, after.network, after.service,"
        f" after.simulated, after.grade, after.filename, {_said('before')} AS before, {_said('after')} AS after"
        f" {_CHANGED} AND {condition} ORDER BY after.measured_at, measurement_uid"
    )
    reasons = _Reasons(sets.load(store, before), sets.load(store, after))
    with _both(store, before, after) as db:
        found = rows(db.execute(f"{query} LIMIT {limit}" if limit else query, values))
        while batch := list(islice(found, _BATCH)):
            yield from _explained(store, reasons, batch)


def _wanted(wanted: Filter) -> tuple[str, list[Any]]:
    condition, values = wanted.sql()
    for name in ("service", "place", "network", "state", "measured_at"):
        condition = condition.replace(f"{name} ", f"after.{name} ")
    return condition, values


def _both(store: Store, before: str, after: str) -> duckdb.DuckDBPyConnection:
    """A connection with the views `before` and `after`: what is counted, one verdict a measurement."""
    db = store.connect()
    for view, name in (("before", before), ("after", after)):
        store.view(db, "verdicts", verdict_files(store, name), f"all_{view}")
        one_each(db, f"all_{view}", view)
    return db


def _explained(store: Store, reasons: _Reasons, batch: list[dict[str, Any]]) -> list[Difference]:
    by_part: dict[str, dict[str, dict[str, Any]]] = {}
    for row in batch:
        by_part.setdefault(Path(row.pop("filename")).stem, {})[row["measurement_uid"]] = row
    found = {}
    for part, changed in by_part.items():
        for measurement, observations in stored(store, store.parts / part, *changed):
            row = changed[measurement.measurement_uid]
            # Under one id an archive's result may stand beside the raw measurement: only one of them is counted.
            if measurement.kind == row["grade"]:
                found[measurement.measurement_uid] = _difference(reasons, row, measurement, observations)
    return [found[row["measurement_uid"]] for row in batch]


def _difference(
    reasons: _Reasons, row: dict[str, Any], measurement: Measurement, observations: list[Observation]
) -> Difference:
    before, after = msgspec.convert((row["before"], row["after"]), tuple[Said, Said])
    gained, lost = reasons.facts(measurement, observations)
    why = reasons.why(measurement, observations, (before, after), (gained, lost))
    return Difference(
        row["measurement_uid"], row["input"], row["measured_at"], row["place"], row["network"], row["service"],
        row["simulated"], before, after, gained, lost, why,
    )  # fmt: skip


class _Reasons:
    """Tells what changed a verdict: what the facts alone would have done to it, and what the rules alone."""

    def __init__(self, before: Judge, after: Judge) -> None:
        self._before, self._after = before, after
        self._facts_only = Judge(before.ruleset, after.reference)
        self._rules_only = Judge(after.ruleset, before.reference)

    def facts(
        self, measurement: Measurement, observations: list[Observation]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The facts gained and lost, in any step of the measurement."""
        old, new = (
            [unit.facts for unit in judge.units(measurement, observations)] for judge in (self._before, self._after)
        )
        gained = lost = 0
        for was, now in zip_longest(old, new, fillvalue=0):
            gained, lost = gained | now & ~was, lost | was & ~now
        return names(gained), names(lost)

    def why(
        self,
        measurement: Measurement,
        observations: list[Observation],
        said: tuple[Said, Said],
        facts: tuple[tuple[str, ...], tuple[str, ...]],
    ) -> str:
        """The reason in words; both where neither accounts for the change alone, or each does."""
        before, by_facts, by_rules, after = (
            _of(judge.verdict(measurement, observations))
            for judge in (self._before, self._facts_only, self._rules_only, self._after)
        )
        if (before, after) != said:
            return "not known: this kholo judges what is stored otherwise than the one that made the sets"
        reasons = []
        if by_facts == after or by_rules != after:
            reasons.append(_of_facts(*facts))
        if by_rules == after or by_facts != after:
            reasons.append(_of_rules(self._before.ruleset, self._after.ruleset, before.rule_id, after.rule_id))
        return "; ".join(reasons)


def _of(verdict: Verdict) -> Said:
    return msgspec.convert(msgspec.to_builtins(verdict), Said)


def _of_facts(gained: tuple[str, ...], lost: tuple[str, ...]) -> str:
    parts = [f"now seen: {', '.join(gained)}"] if gained else []
    parts += [f"no longer seen: {', '.join(lost)}"] if lost else []
    return "; ".join(parts) or "the reference data changed"


def _of_rules(before: Ruleset, after: Ruleset, was: str, now: str) -> str:
    """What happened to the rules that decided; if nothing did, to the others, since any of them may stand before."""
    old, new = ({rule.id: rule for rule in ruleset.rules} for ruleset in (before, after))
    told = {rule: text for rule in (*old, *new) if (text := _of_rule(rule, old.get(rule), new.get(rule)))}
    if deciding := [told[rule] for rule in dict.fromkeys((was, now)) if rule in told]:
        return "; ".join(deciding)
    if not told:
        return "the rules stand in another order"
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{was} itself did not change, but others did: {'; '.join(list(told.values())[:_NAMED])}{more}"


def _of_rule(rule: str, old: Rule | None, new: Rule | None) -> str:
    if old is None or new is None:
        return f"the rule {rule} is {'new' if old is None else 'gone'}"
    parts = [
        f"{name} {_step(getattr(old, name), getattr(new, name))}"
        for name in Rule.__struct_fields__
        # Words about a rule do not decide.
        if name not in ("why", "source", "example") and getattr(old, name) != getattr(new, name)
    ]
    return f"the rule {rule} changed: {', '.join(parts)}" if parts else ""


def _step(old: Any, new: Any) -> str:
    if isinstance(old, tuple):
        gone, come = ([name for name in one if name not in other] for one, other in ((old, new), (new, old)))
        return " ".join([*(f"+{name}" for name in come), *(f"-{name}" for name in gone)]) or "in another order"
    return f"{old or 'none'} → {new or 'none'}"
