"""What changed between two looks at a case, and why: the entry, its evidence, how much was measured, or the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from kholo.model import Assessment, Case, Clock, Entry
from kholo.wording import listed

from .spans import midnight
from .wording import say

#: What of an entry does not bear on how it stands.
_WORDS = frozenset({"file", "notes"})
#: What a change of an assessment or of a clock is told by.
_SAID = ("outcome", "grade", "reason", "extent", "because", "evidence", "beside", "retracted_by", "coverage", "shown")
_COUNTED = (
    "stopped", "days", "standing", "first_met", "returns", "stayed", "overdue", "most", "grade", "evidence", "because",
)  # fmt: skip


class Look(msgspec.Struct, frozen=True):
    """A case as it stood for one store, folder and moment. `incidents` are their ids with their content."""

    case: Case
    assessments: tuple[Assessment, ...]
    clocks: tuple[Clock, ...]
    incidents: Mapping[str, Any]
    as_of: datetime


class Change(msgspec.Struct, frozen=True):
    """One assessment or clock that is otherwise. `before` and `after` hold what differs; None: it was not there.

    `why` says what of the input changed; `gained` and `lost` are ids of evidence that came and went.
    """

    what: Literal["assessment", "clock"]
    change: Literal["came", "went", "changed"]
    entry_id: str
    clock: str | None
    network: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    why: tuple[str, ...]


def changes(before: Look, after: Look) -> tuple[Change, ...]:
    """Every assessment, then every clock that differs, by entry, kind, network and start."""
    found = _compared("assessment", _assessed(before), _assessed(after), _SAID, before, after)
    found += _compared("clock", _clocked(before), _clocked(after), _COUNTED, before, after)
    return tuple(found)


_Key = tuple[str, str, str, str]


def _assessed(look: Look) -> dict[_Key, Assessment]:
    return {(item.entry_id, "", "", ""): item for item in look.assessments}


def _clocked(look: Look) -> dict[_Key, Clock]:
    return {(one.entry_id, one.clock.value, one.network or "", one.started.isoformat()): one for one in look.clocks}


def _compared(
    what: Literal["assessment", "clock"],
    old: Mapping[_Key, Any],
    new: Mapping[_Key, Any],
    fields: Sequence[str],
    before: Look,
    after: Look,
) -> list[Change]:
    found = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        told = [name for name in fields if was is None or now is None or getattr(was, name) != getattr(now, name)]
        if was and now and _is_same(was, now, told):
            continue
        gone, come = _ids(was), _ids(now)
        entry = key[0]
        found.append(
            Change(
                what=what,
                change="came" if was is None else "went" if now is None else "changed",
                entry_id=entry,
                clock=key[1] or None,
                network=key[2] or None,
                before=_part(was, told),
                after=_part(now, told),
                gained=tuple(sorted(come - gone)),
                lost=tuple(sorted(gone - come)),
                why=_why(entry, (was, now), (gone, come), before, after),
            )
        )
    return found


def _is_same(was: Assessment | Clock, now: Assessment | Clock, told: Sequence[str]) -> bool:
    """Whether only the words differ, or how many days there were to measure."""
    if not set(told) <= {"because", "coverage", "shown"}:
        return False
    counted = [(one.results, one.networks) for one in (was, now) if isinstance(one, Assessment)]
    return len(set(counted)) < len(counted) or not counted


def _ids(item: Assessment | Clock | None) -> frozenset[str]:
    if item is None:
        return frozenset()
    return frozenset(item.evidence) | frozenset(item.beside if isinstance(item, Assessment) else ())


def _part(item: Any, told: Sequence[str]) -> dict[str, Any] | None:
    return None if item is None else {name: msgspec.to_builtins(getattr(item, name)) for name in told}


def _why(
    entry: str,
    items: tuple[Any, Any],
    ids: tuple[frozenset[str], frozenset[str]],
    before: Look,
    after: Look,
) -> tuple[str, ...]:
    """The reasons, most telling first; never none."""
    reasons = _evidence(entry, True, True, before, after)
    if not (reasons and None in items):
        for name in sorted((ids[0] | ids[1]) - {entry}):
            reasons += _evidence(name, name in ids[1], name in ids[0], before, after)
    was, now = items
    if isinstance(was, Assessment) and isinstance(now, Assessment) and was.coverage != now.coverage:
        networks = f"{was.coverage.networks} → {now.coverage.networks}"
        results = {"before": was.coverage.results, "after": now.coverage.results}
        reasons.append(say("diff.coverage", **results, networks=networks))
    if before.as_of != after.as_of:
        reasons.append(say("diff.as_of", before=f"{before.as_of:%Y-%m-%d}", after=f"{after.as_of:%Y-%m-%d}"))
    return tuple(dict.fromkeys(str(reason) for reason in reasons or _others(entry, before, after)))


def _others(entry: str, before: Look, after: Look) -> list[str]:
    """What is left: other entries that changed, such as a stay; else measurements without an incident."""
    names = sorted({one.id for look in (before, after) for one in look.case.entries} - {entry})
    changed = [name for name in names if _entry(name, before, after)]
    return [say("diff.others", entries=listed(changed)) if changed else say("diff.measured")]


def _entries(case: Case) -> dict[str, Entry]:
    return {entry.id: entry for entry in case.entries}


def _evidence(name: str, now: bool, then: bool, before: Look, after: Look) -> list[str]:
    if name in before.incidents or name in after.incidents:
        was, is_ = before.incidents.get(name), after.incidents.get(name)
        if was is None or is_ is None:
            return [say("diff.incident.went" if is_ is None else "diff.incident.came", incidents=name)]
        return [say("diff.incident.changed", incidents=name)] if was != is_ else []
    found = _entry(name, before, after)
    is_there = name in _entries(before.case) and name in _entries(after.case)
    if not found and now != then and is_there:
        found = [say("diff.counts" if now else "diff.counts.not", entry=name)]
    return found


def _entry(name: str, before: Look, after: Look) -> list[str]:
    """What happened to an entry between the two: it came, went, was edited, or had not happened yet."""
    was, now = _entries(before.case).get(name), _entries(after.case).get(name)
    if was is None and now is None:
        return []
    if was is None or now is None:
        return [say("diff.entry.came" if was is None else "diff.entry.went", entry=name)]
    keys = [key for key in Entry.__struct_fields__ if key not in _WORDS and getattr(was, key) != getattr(now, key)]
    if keys:
        return [say("diff.entry.edited", entry=name, keys=listed(keys))]
    if before.as_of < midnight(now.earliest) <= after.as_of:
        return [say("diff.entry.happened", entry=name, earliest=now.earliest)]
    return []
