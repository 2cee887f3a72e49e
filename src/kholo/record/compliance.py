"""Whether an order was met: when first, throughout, not any more, or never; for the place and on each network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kholo.model import IMPAIRED, Clock, ClockKind, Entry, Grade, Obligation, Proposition, Return, Standing, State
from kholo.wording import Told, listed

from .evidence import Evidence, Finding, Spell, is_about
from .measured import Asked, Measured
from .spans import TICK, midnight
from .stays import Bounds, bounds
from .stretches import Chain, Stretch, chains
from .wording import day, say


class _Duty(msgspec.Struct, frozen=True):
    """An order with what binds it, and what was measured and found of its time."""

    evidence: Evidence
    entry: Entry
    duty: Obligation
    bounds: Bounds
    seen: Measured

    @property
    def claim(self) -> Proposition:
        """The order as a proposition about the time since it fell due."""
        return self.seen.asked.claim


class _Told(msgspec.Struct, frozen=True):
    """What the clocks of one order on one network (None: the place) have in common."""

    network: str | None
    standing: Standing
    first_met: datetime | None
    reported: tuple[Return, ...]


def compliance(evidence: Evidence, entry: Entry, duty: Obligation, as_of: datetime) -> list[Clock]:
    """The clocks of one order: for the place, then each network that something is known of.

    By measurements where they say how it was when it fell due; else by published findings. Where neither says so there
    is no clock: it would claim more than is known.
    """
    limits = bounds(evidence.case, entry, as_of)
    if limits.limit < duty.due:
        return []
    end = max(limits.limit, duty.due + TICK)
    claim = Proposition(duty.service, duty.place, duty.state, duty.due, end, duty.networks)
    one = _Duty(evidence, entry, duty, limits, Measured(Asked(claim, end, duty.service), evidence))
    measured = _measured(one)
    found = _found(one)
    if not _runs_at_due(measured, duty) and _runs_at_due(found, duty):
        made = _clocks(one, found, None, _reported(one))
        names = sorted({name for stretch in found for name in stretch.networks})
        for name in names:
            mine = [stretch for stretch in found if name in stretch.networks]
            made += _clocks(one, mine, name, _reported(one, name))
        return made
    made = _clocks(one, measured, None, _reported(one))
    for line in one.seen.lines:
        made += _clocks(one, [stretch for stretch in measured if line.network in stretch.networks], line.network, ())
    return made


def _runs_at_due(stretches: Iterable[Stretch], duty: Obligation) -> bool:
    return any(stretch.start <= duty.due < stretch.end for stretch in stretches)


def _measured(one: _Duty) -> list[Stretch]:
    """By network: the spells in which it was not so. Of an order to block: the times before and between blocks."""
    found = []
    for line in one.seen.lines:
        spells = one.seen.spells[line.network]
        hits = [
            Stretch(
                _start(one, spell), spell.span.end, spell.seen.end.latest if spell.seen.end else None,
                spell.incident.grade, (spell.incident.incident_id,), (line.network,),
            )
            for spell in spells
            if one.duty.state is State.OK or spell.seen.state is one.duty.state
        ]  # fmt: skip
        found += hits if one.duty.state is State.OK else _between(one, hits)
    return found


def _start(one: _Duty, spell: Spell) -> datetime:
    """No bracket is used against those who had to obey: a block is taken to begin when it can have begun."""
    return spell.span.start if one.duty.state is State.OK else spell.seen.onset.earliest


def _found(one: _Duty) -> list[Stretch]:
    """The same by the findings of the best grade that say how it was when it fell due.

    Of an order to block there are none: between two findings of a block nobody says that there was access.
    """
    if one.duty.state is not State.OK:
        return []
    about = [item for item in one.evidence.findings() if is_about(item.claim, one.claim)]
    mine = [item for item in about if _counts(one, item)]
    covering = [item for item in mine if item.claim.start <= one.duty.due < item.claim.end]
    best = min((item.grade for item in covering), default=None)
    return [
        Stretch(item.claim.start, item.claim.end, item.claim.end, item.grade, (item.entry.id,), item.claim.networks)
        for item in mine
        if item.grade is best
    ]


def _counts(one: _Duty, item: Finding) -> bool:
    return item.claim.state in IMPAIRED if one.duty.state is State.OK else item.claim.state is one.duty.state


def _between(one: _Duty, hits: Sequence[Stretch]) -> list[Stretch]:
    """The times since the order fell due before it was so, or before it was so again.

    That a block ended is not held against anyone: who ordered it may have lifted it.
    """
    found, upto = [], one.duty.due
    for hit in sorted(hits):
        if hit.start > upto:
            found.append(Stretch(upto, hit.start, hit.start, hit.grade, hit.evidence, hit.networks))
        upto = max(upto, hit.surely or one.bounds.limit)
    return found


def _reported(one: _Duty, network: str | None = None) -> tuple[Return, ...]:
    """Findings that what was ordered was so for a while."""
    return tuple(
        Return(max(item.claim.start, one.duty.due), min(item.claim.end, one.claim.end), item.grade, (item.entry.id,))
        for item in one.evidence.findings()
        if item.claim.state is one.duty.state is State.OK
        and is_about(item.claim, one.claim)
        and (network is None or not item.claim.networks or network in item.claim.networks)
    )


def _clocks(one: _Duty, stretches: list[Stretch], network: str | None, reported: tuple[Return, ...]) -> list[Clock]:
    reached = [stretch for stretch in stretches if stretch.end > one.duty.due and stretch.start < one.bounds.limit]
    made = chains(reached)
    if not made:
        return _throughout(one, network)
    # Where nobody knows how it was when it fell due, it is counted from when it is known not to have been met.
    was_met = made[0].start > one.duty.due and _was_met(one, network, made[0].start)
    standing = _standing(one, made, was_met)
    first_met = one.duty.due if was_met else _first_met(one, made[0])
    told = _Told(network, standing, first_met, reported)
    return [_clock(one, chain, told, is_relapse=was_met or place > 0) for place, chain in enumerate(made)]


def _was_met(one: _Duty, network: str | None, until: datetime) -> bool:
    """Whether it was measured to be so on any day since the order fell due and before that moment."""
    before = one.seen.wanted & (one.seen.days.bit(until.date()) - 1)
    return any(days & before for name, days in one.seen.so.items() if network in (None, name))


def _standing(one: _Duty, made: Sequence[Chain], was_met: bool) -> Standing:
    if was_met or len(made) > 1:
        return Standing.RELAPSED
    return Standing.NEVER if _stop(one, made[0]) is None else Standing.MET


def _stop(one: _Duty, chain: Chain) -> datetime | None:
    """When what was ordered was so again, at the earliest; None where it was not while the order held."""
    last = chain.last
    return None if last.is_open or last.end > one.bounds.limit else last.end


def _first_met(one: _Duty, chain: Chain) -> datetime | None:
    return min((back.since for back in chain.returns), default=None) or _stop(one, chain)


def _throughout(one: _Duty, network: str | None) -> list[Clock]:
    """An order that was met from the beginning, where measurements show it so throughout; else nothing is known."""
    if one.duty.state is not State.OK:
        return _block_at_due(one, network)
    limit = one.bounds.limit
    if one.evidence.case.end:
        over = midnight(one.evidence.case.end) + timedelta(1)
        limit = min(limit, max(over, one.duty.due + timedelta(1)))
    names = (network,) if network else one.duty.networks
    claim = msgspec.structs.replace(one.claim, end=limit, networks=names)
    seen = Measured(Asked(claim, limit, one.duty.service), one.evidence)
    if limit <= one.duty.due or not seen.is_all_so:
        return _access_at_due(one, network)
    return [_met(one, network, say("clock.met", all=len(seen.lines)), seen.grade_of_days(seen.so), ())]


def _access_at_due(one: _Duty, network: str | None) -> list[Clock]:
    """An order to give access that by published findings was met when it fell due, where nothing speaks against it."""
    about = [item for item in one.evidence.findings() if is_about(item.claim, one.claim)]
    at_due = [item for item in about if item.claim.start <= one.duty.due < item.claim.end]
    if network or one.seen.networks or not at_due or any(item.claim.state is not State.OK for item in at_due):
        return []
    best = min(item.grade for item in at_due)
    names = tuple(sorted(item.entry.id for item in at_due if item.grade is best))
    met = _met(one, network, say("clock.met.found", evidence=listed(names)), best, names)
    return [msgspec.structs.replace(met, standing=Standing.MET)]


def _block_at_due(one: _Duty, network: str | None) -> list[Clock]:
    """An order to block that was met when it fell due, and not seen unmet after."""
    due = one.duty.due
    hits = [(item.grade, item.entry.id) for item in one.evidence.findings() if is_about(item.claim, one.claim)
            and _counts(one, item) and item.claim.start <= due < item.claim.end and network is None]  # fmt: skip
    hits += [
        (spell.incident.grade, spell.incident.incident_id)
        for name, spells in one.seen.spells.items()
        for spell in spells
        if spell.seen.state is one.duty.state and _start(one, spell) <= due < spell.span.end and network in (None, name)
    ]
    if not hits:
        return []
    best = min(grade for grade, _ in hits)
    names = tuple(sorted({name for grade, name in hits if grade is best}))
    text = say("clock.met.then", evidence=listed(names))
    access = [
        item.entry.id
        for item in one.evidence.findings()
        if item.claim.state is State.OK and network is None and is_about(item.claim, one.claim)
    ]
    if access:
        text += say("clock.access", entries=listed(sorted(access)))
    text += _ended(one, network)
    # How long it was so after that is told, and not held against anyone: who ordered it may have lifted it.
    return [msgspec.structs.replace(_met(one, network, text, best, names), standing=Standing.MET)]


def _ended(one: _Duty, network: str | None) -> Told:
    """When the block was over on a network, if that was while the order held."""
    mine = [spell for spell in one.seen.spells.get(network or "", ()) if spell.seen.state is one.duty.state]
    last = max(mine, key=lambda spell: spell.span, default=None)
    if last is None or last.seen.end is None or last.seen.end.latest >= one.bounds.limit:
        return Told()
    return say("clock.ended", earliest=day(last.seen.end.earliest), latest=day(last.seen.end.latest))


def _met(one: _Duty, network: str | None, text: Told, grade: Grade, names: tuple[str, ...]) -> Clock:
    due, text = one.duty.due, text + _more(one, (), 0)
    return Clock(
        ClockKind.COMPLIANCE, one.entry.id, due, due, 0, str(text), grade, network, names,
        standing=Standing.MET_THROUGHOUT, first_met=due, said=text.said,
    )  # fmt: skip


def _clock(one: _Duty, chain: Chain, told: _Told, *, is_relapse: bool) -> Clock:
    start, met = max(one.duty.due, chain.start), _stop(one, chain)
    stopped = met or (one.bounds.limit if one.bounds.ended else None)
    end = stopped or one.bounds.limit
    inside = [back for back in told.reported if start <= back.since and (back.until < met if met else back.since < end)]
    returns = tuple(sorted({*chain.returns, *inside}))
    elapsed = max(timedelta(), end - start)
    days = (elapsed - one.bounds.suspended(start, end)).days
    stayed = elapsed.days - days
    text = _text(one, chain, told.network, met, is_relapse=is_relapse) + _more(one, returns, stayed)
    return Clock(
        clock=ClockKind.COMPLIANCE,
        entry_id=one.entry.id,
        started=start,
        stopped=stopped,
        days=days,
        because=str(text),
        said=text.said,
        grade=chain.grade,
        network=told.network,
        evidence=chain.evidence,
        standing=told.standing,
        first_met=told.first_met,
        returns=returns,
        stayed=stayed,
    )


def _text(one: _Duty, chain: Chain, network: str | None, met: datetime | None, *, is_relapse: bool) -> Told:
    names, is_measured = listed(chain.evidence), chain.grade in (Grade.A, Grade.B)
    if met is None:
        text = say("clock.running", evidence=names)
    elif is_measured:
        text = say("clock.restored", earliest=day(met), latest=day(chain.last.surely or met), evidence=names)
    else:
        text = say("clock.restored.found", latest=met.date(), evidence=names)
    if is_relapse:
        text = say("clock.relapsed", start=day(chain.start)) + text
    if network is None and chain.networks and is_measured:
        hit = listed(chain.networks)
        text += say("clock.networks", hit=len(chain.networks), all=len(one.seen.networks), networks=hit)
    if met is None and one.bounds.ended:
        text += say("clock.lapsed", until=day(one.bounds.limit))
    return text


def _more(one: _Duty, returns: Sequence[Return], stayed: int) -> Told:
    text = Told()
    if briefly := sorted({name for back in returns for name in back.evidence}):
        text += say("clock.brief", entries=listed(briefly))
    if stayed:
        text += say("clock.stayed", days=stayed, entries=listed(one.bounds.stayed_by))
    if one.bounds.appealed_by:
        text += say("clock.appealed", entries=listed(one.bounds.appealed_by))
    return text
