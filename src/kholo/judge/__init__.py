"""From observations to one verdict a measurement, naming the rule that decided."""

from __future__ import annotations

from kholo.model import Layer, Locus, Measurement, Observation, State, Verdict
from kholo.reference import Reference

from .facts import BITS, names, words
from .gather import Unit, archive_facts, gather, is_archive
from .ruleset import Rule, Ruleset, load_ruleset

__all__ = ["Judge", "Rule", "Ruleset", "load_ruleset", "names", "words"]

_SAME = BITS["dns.other_resolver.same"]
_RESOLVER = BITS["dns.other_resolver.ok"]
_INTERFERED_PAGE = sum(
    BITS[name] for name in ("http.reset", "http.timeout", "http.eof", "http.blockpage", "http.denied")
)


class Judge:
    """Judges measurements one by one. No measurement changes the verdict on another."""

    def __init__(self, ruleset: Ruleset, reference: Reference) -> None:
        self.ruleset = ruleset
        self.reference = reference

    def units(self, measurement: Measurement, observations: list[Observation]) -> list[Unit]:
        """The facts on which the verdict rests, hop by hop."""
        if is_archive(observations):
            return [Unit(0, True, True, archive_facts(measurement, observations))]
        return gather(measurement, observations, self.reference)

    def verdict(self, measurement: Measurement, observations: list[Observation]) -> Verdict:
        """Decide. Never raises on account of what a measurement holds."""
        units = self.units(measurement, observations)
        unit, rule = self._deciding(units)
        also = self._mechanisms(units) - {rule.mechanism}
        reachable = None if rule.layer is Layer.HTTP and _is_open_beside(units, unit) else rule.usable
        return self._write(measurement, rule, unit.facts, tuple(sorted(also)), reachable)

    def conflict(self, measurement: Measurement) -> Verdict:
        """The verdict where the archive holds two contents under one id: neither is counted."""
        facts = BITS["measurement.conflict"]
        return self._write(measurement, self.ruleset.matching(facts)[0], facts, (), None)

    def _deciding(self, units: list[Unit]) -> tuple[Unit, Rule]:
        """The first hop at which somebody came between, else the last hop the person got to."""
        chosen = units[-1]
        for unit in units:
            if not unit.decides:
                continue
            chosen = unit
            rule = self.ruleset.matching(unit.facts)[0]
            if rule.is_impaired:
                break
        return chosen, self.ruleset.matching(chosen.facts)[0]

    def _mechanisms(self, units: list[Unit]) -> set[str]:
        return {name for unit in units for name in self.ruleset.mechanisms(unit.facts)}

    def _write(
        self, measurement: Measurement, rule: Rule, facts: int, also: tuple[str, ...], reachable: bool | None
    ) -> Verdict:
        return Verdict(
            measurement_uid=measurement.measurement_uid,
            input=measurement.input,
            test_name=measurement.test_name,
            measured_at=measurement.measured_at,
            service=self.reference.services.of_host(measurement.hostname),
            place=measurement.place,
            network=measurement.network,
            state=rule.state,
            layer=rule.layer,
            mechanism=rule.mechanism,
            also=also,
            reachable=reachable,
            locus=_locus(rule, facts),
            evidence=rule.evidence,
            grade=measurement.kind,
            rule_id=rule.id,
            ruleset=self.ruleset.digest,
            reference=self.reference.digest,
            simulated=measurement.simulated,
        )


def _is_open_beside(units: list[Unit], decided: Unit) -> bool:
    """Whether an encrypted handshake went through beside an unencrypted page that was interfered with."""
    if not decided.facts & _INTERFERED_PAGE:
        return False
    beside = (unit for unit in units if unit.depth == decided.depth and not unit.decides)
    return any(unit.facts & BITS["tls.ok"] for unit in beside)


def _locus(rule: Rule, facts: int) -> Locus:
    """A lie told by two unrelated resolvers is told on the path; one told by one alone is that resolver's."""
    if rule.locus is not Locus.UNKNOWN or rule.layer is not Layer.DNS or rule.state is not State.BLOCKED:
        return rule.locus
    return Locus.NETWORK if facts & _SAME else Locus.RESOLVER if facts & _RESOLVER else Locus.UNKNOWN
