"""How long people were kept from a service, from incidents or else from published findings, as a range of hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kholo.model import Case, Grade, Incident, NetworkSpell, Range, State

from .evidence import Finding, findings, known_end
from .spans import midnight

_Span = tuple[datetime, datetime]
_HOUR = timedelta(hours=1)


class Exposure(msgspec.Struct, frozen=True):
    """Hours blocked, by network ("": across the place), and what they rest on.

    `hours` of the whole place are those in which it was blocked anywhere.
    """

    networks: tuple[tuple[str, Range], ...]
    hours: Range
    evidence: tuple[str, ...]
    grade: Grade | None
    is_open: bool


def exposure(case: Case, incidents: Sequence[Incident], as_of: datetime) -> Exposure | None:
    """Hours within the case's time in which the service was blocked; None where nothing says so.

    Incidents decide where there are any: from the last moment that the block can have begun to the last that it was
    seen (low), from the first to the first working result after it (high), and half way between (central). Else the
    published findings of the best grade: their days, with (high) or without (low) the days that others found working.
    Hours in which it was only throttled are not counted, nor hours that nobody measured after the last result.
    """
    window = midnight(case.start), min(as_of, midnight(case.end) + timedelta(days=1) if case.end else as_of)
    mine = [
        (incident, spell)
        for incident in incidents
        if (incident.service, incident.place) == (case.service, case.place)
        for spell in incident.spells
        if spell.state is State.BLOCKED and not spell.is_dark
    ]
    return _measured(mine, window) if mine else _found(case, window)


def _measured(mine: list[tuple[Incident, NetworkSpell]], window: _Span) -> Exposure:
    low = {spell.network: [_clip((s.onset.latest, known_end(s)), window) for _, s in mine if s.network == spell.network]
           for _, spell in mine}  # fmt: skip
    high = {spell.network: [_clip(_longest(s), window) for _, s in mine if s.network == spell.network]
            for _, spell in mine}  # fmt: skip
    return Exposure(
        networks=tuple((name, _range(low[name], high[name])) for name in sorted(low)),
        hours=_range([span for spans in low.values() for span in spans], [s for spans in high.values() for s in spans]),
        evidence=tuple(sorted({incident.incident_id for incident, _ in mine})),
        grade=max((incident.grade for incident, _ in mine), key=lambda grade: grade.value),
        is_open=any(spell.end is None for _, spell in mine),
    )


def _longest(spell: NetworkSpell) -> _Span:
    return spell.onset.earliest, max(known_end(spell), spell.end.latest if spell.end else spell.last_seen)


def _found(case: Case, window: _Span) -> Exposure | None:
    standing = [item for item in findings(case) if _is_own(case, item)]
    blocked = [item for item in standing if item.claim.state is State.BLOCKED]
    if not blocked:
        return None
    grade = min(item.grade for item in blocked)
    best = [item for item in blocked if item.grade is grade]
    # A finding on some networks says nothing of the place: it counts only where nobody speaks of the place.
    wide = [item for item in best if not item.claim.networks]
    used = wide or best
    worked = [
        item
        for item in standing
        if item.claim.state is State.OK
        and any(item.claim.start < other.claim.end and item.claim.end > other.claim.start for other in used)
    ]
    names = [""] if wide else sorted({name for item in best for name in item.claim.networks})
    by_network = []
    for name in names:
        mine = [_clip((i.claim.start, i.claim.end), window) for i in used if not name or name in i.claim.networks]
        free = [(i.claim.start, i.claim.end) for i in worked if not i.claim.networks or name in i.claim.networks]
        by_network.append((name, _range(_without(mine, free), mine)))
    every = [_clip((item.claim.start, item.claim.end), window) for item in used]
    return Exposure(
        networks=tuple(by_network),
        hours=_range(_without(every, [(item.claim.start, item.claim.end) for item in worked]), every),
        evidence=tuple(sorted(item.entry.id for item in [*used, *worked])),
        grade=grade,
        is_open=False,
    )


def _is_own(case: Case, finding: Finding) -> bool:
    return (finding.claim.service, finding.claim.place) == (case.service, case.place)


def _clip(span: _Span, window: _Span) -> _Span:
    return max(span[0], window[0]), min(span[1], window[1])


def _range(low: Iterable[_Span], high: Iterable[_Span]) -> Range:
    least, most = _hours(low), _hours(high)
    return Range(least, (least + most) / 2, most)


def _hours(spans: Iterable[_Span]) -> float:
    return sum((end - start) / _HOUR for start, end in _union(spans))


def _union(spans: Iterable[_Span]) -> list[_Span]:
    out: list[_Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], end)
        else:
            out.append((start, end))
    return out


def _without(spans: Iterable[_Span], taken: Iterable[_Span]) -> list[_Span]:
    left = _union(spans)
    for start, end in _union(taken):
        left = [
            piece
            for span in left
            for piece in ((span[0], min(span[1], start)), (max(span[0], end), span[1]))
            if piece[1] > piece[0]
        ]
    return left
