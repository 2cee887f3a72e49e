"""From observations to one verdict a measurement, naming the rule that decided."""

from __future__ import annotations

from kholo.model import Grade, Layer, Locus, Measurement, Observation, State, Vantage, Verdict
from kholo.reference import Reference
from kholo.sources.keys import KINDS
from kholo.sources.ooni import OBSERVATION_ROWS

from . import platforms, witnesses
from .facts import BITS, names, words
from .gather import Unit, archive_facts, gather
from .ruleset import Decision, Rule, Ruleset, load_ruleset
from .view import View

__all__ = ["Judge", "Rule", "Ruleset", "load_ruleset", "names", "words"]

_SAME, _DUPLICATE = BITS["dns.other_resolver.same"], BITS["dns.duplicate"]
_RESOLVER = BITS["dns.other_resolver.ok"]
_TLS_OK = BITS["tls.ok"]
_NOT_JUDGED = Unit(0, True, BITS["measurement.not_judged"])
_INTERFERED_PAGE = sum(
    BITS[name] for name in ("http.reset", "http.timeout", "http.eof", "http.blockpage", "http.denied")
)
_UNKNOWN, _DNS, _HTTP, _BLOCKED = Locus.UNKNOWN, Layer.DNS, Layer.HTTP, State.BLOCKED
_WEB = "web_connectivity"
_RAW = Grade.A
_PROBE = Vantage.PROBE


class Judge:
    """Judges measurements one by one. No measurement changes the verdict on another."""

    def __init__(self, ruleset: Ruleset, reference: Reference) -> None:
        self.ruleset = ruleset
        self.reference = reference

    def units(self, measurement: Measurement, observations: list[Observation]) -> list[Unit]:
        """The facts on which the verdict rests: hop by hop, or part by part of a service. Never empty."""
        if measurement.vantage is not _PROBE:
            return witnesses.units(View(measurement, observations, self.reference), observations)
        if measurement.kind is not _RAW and measurement.source != OBSERVATION_ROWS:
            return [Unit(0, True, archive_facts(measurement, observations))]
        if measurement.test_name == _WEB:
            return gather(View(measurement, observations, self.reference))
        if measurement.test_name not in KINDS:
            return [_NOT_JUDGED]
        return platforms.units(View(measurement, observations, self.reference))

    def verdict(self, measurement: Measurement, observations: list[Observation]) -> Verdict:
        """Decide. Never raises on account of what a measurement holds."""
        units = self.units(measurement, observations)
        decide = self.ruleset.decide
        if len(units) == 1:
            made = decide(units[0].facts)
            return self._write(measurement, made, units[0].facts, (), made.rule.usable)
        decisions = [decide(unit.facts) for unit in units]
        place = _of_parts(units, decisions) if units[0].role else _of_hops(units, decisions)
        unit, made = units[place], decisions[place]
        rule = made.rule
        also = {name for decision in decisions for name in decision.mechanisms} - {rule.mechanism}
        if unit.role:
            usable = _usable_by_parts(units, decisions)
        else:
            usable = None if rule.layer is _HTTP and _is_open_beside(units, unit) else rule.usable
        return self._write(measurement, made, unit.facts, tuple(sorted(also)), usable)

    def _write(
        self, measurement: Measurement, made: Decision, facts: int, also: tuple[str, ...], reachable: bool | None
    ) -> Verdict:
        rule = made.rule
        if not also and len(made.mechanisms) > 1:
            also = tuple(sorted(made.mechanisms - {rule.mechanism}))
        return Verdict(
            measurement.measurement_uid,
            measurement.input,
            measurement.test_name,
            measurement.measured_at,
            self._service(measurement),
            measurement.place,
            measurement.network,
            rule.state,
            rule.layer,
            rule.mechanism,
            also,
            reachable,
            _locus(rule, facts),
            rule.evidence,
            measurement.kind,
            rule.id,
            self.ruleset.digest,
            self.reference.digest,
            measurement.simulated,
            measurement.vantage,
        )

    def _service(self, measurement: Measurement) -> str | None:
        if measurement.hostname:
            return self.reference.services.of_host(measurement.hostname)
        service = self.reference.services.of_test(measurement.test_name)
        return service.id if service else None


def _of_hops(units: list[Unit], decisions: list[Decision]) -> int:
    """The place of the first hop at which somebody came between, else of the last hop the person got to."""
    chosen = len(units) - 1
    for place, unit in enumerate(units):
        if unit.decides:
            chosen = place
            if decisions[place].is_impaired:
                break
    return chosen


def _of_parts(units: list[Unit], decisions: list[Decision]) -> int:
    """The place of the first part of a service that is impaired, else of a needed one that is not fine."""
    order = sorted(range(len(units)), key=lambda place: _severity(units[place], decisions[place]))
    return order[0]


def _severity(unit: Unit, made: Decision) -> tuple[bool, bool]:
    fine = made.rule.state is State.OK or not unit.is_needed
    return not made.is_impaired, fine


def _usable_by_parts(units: list[Unit], decisions: list[Decision]) -> bool | None:
    """Whether every part that a person can't do without worked."""
    needed = [made.rule.usable for unit, made in zip(units, decisions, strict=True) if unit.is_needed]
    if not needed or None in needed:
        return False if False in needed else None
    return all(needed)


def _is_open_beside(units: list[Unit], decided: Unit) -> bool:
    """Whether an encrypted handshake went through beside an unencrypted page that was interfered with."""
    if not decided.facts & _INTERFERED_PAGE:
        return False
    beside = (unit for unit in units if unit.depth == decided.depth and not unit.decides)
    return any(unit.facts & _TLS_OK for unit in beside)


def _locus(rule: Rule, facts: int) -> Locus:
    """A lie told by two unrelated resolvers is told on the path; one told by one alone is that resolver's."""
    if rule.locus is not _UNKNOWN or rule.layer is not _DNS or rule.state is not _BLOCKED:
        return rule.locus
    return Locus.NETWORK if facts & (_SAME | _DUPLICATE) else Locus.RESOLVER if facts & _RESOLVER else _UNKNOWN
