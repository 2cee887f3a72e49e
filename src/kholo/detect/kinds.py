"""What sort of event an incident is, decided by what else was measured in the same hours.

Every kind but "blocked" and "throttled" takes the accusation back: the service itself was down, the network was, or it
was the measuring that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from kholo.model import Incident, Kind, State
from kholo.wording import Told, listed

from .lines import Around, outage, slowed
from .wording import say, with_reasons

#: Reports without which a place or a target counts as not measured.
_LEAST_REPORTS = 3
#: Other places, and other targets on the network, that must fail before they explain anything.
_LEAST_PLACES, _LEAST_TARGETS = 3, 3
#: Of those measured, the share that must fail.
_MOST_PLACES, _MOST_TARGETS = 0.5, 0.75
_STATES = {
    Kind.SHUT_DOWN: State.DOWN,
    Kind.SERVICE_DOWN: State.DOWN,
    Kind.MEASURING_CHANGED: State.INSUFFICIENT,
}


class Nearby(msgspec.Struct, frozen=True):
    """Distinct reports in the hours of an incident, or in the weeks before it, by what was measured where.

    `service` is "" for targets that no service of the registry has. Either the incident's service anywhere, or anything
    on its networks.
    """

    service: str
    target: str
    place: str
    network: str
    test_version: str
    is_before: bool
    ok: int
    failed: int


class _Tally(msgspec.Struct):
    ok: int = 0
    failed: int = 0

    @property
    def is_measured(self) -> bool:
        return self.ok + self.failed >= _LEAST_REPORTS

    @property
    def is_failing(self) -> bool:
        return self.is_measured and self.failed >= self.ok


def decided(incident: Incident, nearby: Sequence[Nearby], around: Around | None = None) -> Incident:
    """The incident with its kind, and with what decided it. No order of what is handed in makes a difference."""
    lines = around or Around()
    reasons = [*_dark(incident), *slowed(incident, lines)]
    left, told = outage(incident, lines)
    kind = incident.kind
    for found, why in (
        _measuring(incident, nearby),
        _elsewhere(incident, nearby),
        (Kind.SHUT_DOWN if left is None else None, None),
        _beside(incident, nearby),
    ):
        reasons += [why] if why else []
        if found is not None and kind is incident.kind:
            kind = found
    reasons += told
    if kind is incident.kind:
        return with_reasons(left or incident, reasons)
    state = _STATES[kind]
    taken_back = msgspec.structs.replace(
        incident,
        incident_id=incident.incident_id.replace(f"-{incident.state.value}-", f"-{state.value}-"),
        kind=kind,
        state=state,
        spells=tuple(msgspec.structs.replace(spell, state=state) for spell in incident.spells),
    )
    return with_reasons(taken_back, reasons)


def _dark(incident: Incident) -> list[Told]:
    dark = sorted({spell.network for spell in incident.spells if spell.is_dark})
    return [say("dark", networks=listed(dark))] if dark else []


def _tallies(rows: Iterable[Nearby], key: Callable[[Nearby], str]) -> dict[str, _Tally]:
    made: dict[str, _Tally] = {}
    for row in sorted(rows, key=key):
        tally = made.setdefault(key(row), _Tally())
        tally.ok += row.ok
        tally.failed += row.failed
    return made


def _newly_failing(rows: Sequence[Nearby], key: Callable[[Nearby], str]) -> tuple[list[str], list[str]]:
    """What was measured, and of that what failed, leaving out what had failed already before."""
    before = _tallies((row for row in rows if row.is_before), key)
    now = _tallies((row for row in rows if not row.is_before), key)
    measured = [name for name, tally in now.items() if tally.is_measured
                and not before.get(name, _Tally()).is_failing]  # fmt: skip
    return measured, [name for name in measured if now[name].is_failing]


def _elsewhere(incident: Incident, nearby: Sequence[Nearby]) -> tuple[Kind | None, Told]:
    """The same service in other countries in the same hours."""
    rows = [row for row in nearby if row.service == incident.service and row.place != incident.place]
    measured, failing = _newly_failing(rows, lambda row: row.place)
    if not measured:
        return None, say("elsewhere.none")
    if len(failing) >= _LEAST_PLACES and len(failing) >= _MOST_PLACES * len(measured):
        return Kind.SERVICE_DOWN, say("elsewhere.down", hit=len(failing), all=len(measured), places=listed(failing))
    return None, say("elsewhere.up", hit=len(failing), all=len(measured))


def _beside(incident: Incident, nearby: Sequence[Nearby]) -> tuple[Kind | None, Told]:
    """Everything else on the same networks in the same hours.

    Only what no service of the registry has counts as unrelated: those services are often blocked together.
    """
    rows = [
        row for row in nearby if row.network in incident.networks and row.place == incident.place and not row.service
    ]
    measured, failing = _newly_failing(rows, lambda row: row.target)
    if not measured:
        return None, say("nearby.none")
    if len(failing) >= _LEAST_TARGETS and len(failing) >= _MOST_TARGETS * len(measured):
        return Kind.SHUT_DOWN, say("nearby.down", hit=len(failing), all=len(measured))
    return None, say("nearby.up", hit=len(failing), all=len(measured))


def _measuring(incident: Incident, nearby: Sequence[Nearby]) -> tuple[Kind | None, Told | None]:
    """Only a new version of the test, or only addresses that were not tested before, fail."""
    own = [row for row in _on_networks(incident, nearby) if row.service == incident.service]
    for what, key in (("versions", _version), ("addresses", _target)):
        before = {key(row) for row in own if row.is_before}
        now = _tallies((row for row in own if not row.is_before), key)
        new = _sum(tally for name, tally in now.items() if name not in before)
        old = _sum(tally for name, tally in now.items() if name in before)
        if before and new.is_failing and old.is_measured and not old.failed:
            return Kind.MEASURING_CHANGED, say(f"measuring.{what}", failed=new.failed, ok=old.ok)
    others = [row for row in nearby if row.service == incident.service and row.place != incident.place]
    fresh = {_version(row) for row in own if not row.is_before} - {_version(row) for row in own if row.is_before}
    if any(row.is_before for row in own) and fresh and not _old_fail(own):
        abroad = _sum(
            _tallies((row for row in others if _version(row) in fresh and not row.is_before), _version).values()
        )
        if abroad.is_failing:
            told = say("measuring.abroad", versions=listed(sorted(fresh)), failed=abroad.failed)
            return Kind.MEASURING_CHANGED, told
    return None, None


def _on_networks(incident: Incident, nearby: Sequence[Nearby]) -> list[Nearby]:
    return [row for row in nearby if row.network in incident.networks and row.place == incident.place]


def _old_fail(own: Sequence[Nearby]) -> bool:
    """Whether a version that was there before fails too."""
    before = {_version(row) for row in own if row.is_before}
    return any(row.failed and _version(row) in before and not row.is_before for row in own)


def _version(row: Nearby) -> str:
    return row.test_version


def _target(row: Nearby) -> str:
    return row.target


def _sum(tallies: Iterable[_Tally]) -> _Tally:
    made = _Tally()
    for tally in tallies:
        made.ok += tally.ok
        made.failed += tally.failed
    return made
