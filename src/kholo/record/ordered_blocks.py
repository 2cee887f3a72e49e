"""Compliance with an order that access be cut or slowed: it is met while the service is in the state ordered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kholo.model import Case, Grade, Incident, NetworkSpell, Obligation, Proposition, State

from .evidence import Finding, Measured, findings, is_about, known_end
from .wording import day, say

#: When it was met (None: not yet), in words, with which grade, by which evidence.
Met = tuple[datetime | None, str, Grade | None, tuple[str, ...]]
_Pairs = Sequence[tuple[Incident, NetworkSpell]]


def met_by_network(seen: Measured, duty: Obligation, limit: datetime) -> dict[str, Met]:
    """For each network with anything decisive from the due time up to `limit`: when the order was first met there."""
    obeyed = [pair for pair in seen.spells if pair[1].state is duty.state and known_end(pair[1]) > duty.due]
    found = {
        network: _first([pair for pair in obeyed if pair[1].network == network], duty, limit)
        for network in seen.networks
    }
    # A network that was only seen in another state, or only by results that decide nothing, says nothing here.
    working = {item.network for item in seen.days if item.state is State.OK}
    return {network: met or _not_met(seen, network) for network, met in found.items() if met or network in working}


def met_overall(case: Case, duty: Obligation, window: Proposition, networks: dict[str, Met]) -> Met | None:
    """When the last of the networks measured had met it; without any, what published findings say; else None."""
    if not networks:
        return _by_findings(case, duty, window)
    late = [network for network, met in networks.items() if met[0] is None]
    grade = max((met[2] for met in networks.values() if met[2]), key=lambda item: item.value, default=None)
    evidence = tuple(sorted({name for met in networks.values() for name in met[3]}))
    if late:
        text = say("ordered.not.on", hit=len(late), all=len(networks), networks=", ".join(sorted(late)))
        return None, text, grade, evidence
    last = max(met[0] for met in networks.values() if met[0])
    text = say("ordered.met.on", all=len(networks), evidence=", ".join(evidence))
    return last, text, grade, evidence


def _first(spells: _Pairs, duty: Obligation, limit: datetime) -> Met | None:
    """No bracket is used against those who had to obey: the wait ends with the last moment known to be without."""
    if not spells:
        return None
    incident, spell = min(spells, key=lambda pair: (pair[1].onset, pair[0].incident_id))
    if spell.onset.latest <= duty.due:
        key = "ordered.met"
    else:
        key = "ordered.met.later" if spell.onset.earliest > duty.due else "ordered.met.perhaps"
    text = say(
        key, state=duty.state.value, evidence=incident.incident_id,
        earliest=day(spell.onset.earliest), latest=day(spell.onset.latest),
    )  # fmt: skip
    moment = max(duty.due, spell.onset.earliest)
    names = tuple(sorted({found.incident_id for found, _ in spells}))
    return moment, text + _over(spells, limit), incident.grade, names


def _over(spells: _Pairs, limit: datetime) -> str:
    """That access came back while the order still stood, if it did."""
    last = max((spell for _, spell in spells), key=lambda spell: (known_end(spell), spell.onset))
    if last.end is None or last.end.latest >= limit:
        return ""
    return say("ordered.over", earliest=day(last.end.earliest), latest=day(last.end.latest))


def _not_met(seen: Measured, network: str) -> Met:
    days = [item for item in seen.days if item.network == network and item.state is State.OK]
    grade = Grade.A if all(item.raw for item in days) else Grade.B
    return None, say("ordered.not", days=len(days)), grade, ()


def _by_findings(case: Case, duty: Obligation, window: Proposition) -> Met | None:
    """Only findings that reach over the due time tell what the state was then."""
    about = [item for item in findings(case) if is_about(item, window)]
    at_due = [item for item in about if item.claim.start <= duty.due < item.claim.end]
    obeyed = [item for item in at_due if item.claim.state is duty.state]
    if not obeyed:
        return None
    best = min(item.grade for item in obeyed)
    names = tuple(sorted(item.entry.id for item in obeyed if item.grade is best))
    text = say("ordered.met.found", state=duty.state.value, evidence=", ".join(names)) + _otherwise(about, duty)
    return duty.due, text, best, names


def _otherwise(about: Sequence[Finding], duty: Obligation) -> str:
    other = sorted(item.entry.id for item in about if item.claim.state is State.OK and item.claim.end > duty.due)
    return say("ordered.otherwise", entries=", ".join(other)) if other else ""
