"""One measurement as a story in sentences: what the probe did, what the control saw, which rule decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from kholo.model import Layer, Measurement, Observation, Vantage, Verdict

from . import Judge
from .facts import names, words
from .gather import Unit
from .ruleset import Rule

_WHO = {"system": "its own resolver", "udp": "another network's resolver", "doh": "a resolver over https",
        "dot": "a resolver over TLS", "archive": "the archive", "satellite": "the resolver"}  # fmt: skip


_FROM = {
    Vantage.REMOTE: "measured from outside, through a server or resolver that stands in the network: it shows what"
    " happens on the way there, not what a person meets, and it makes no incident",
    Vantage.HOSTED: "measured by a device that somebody hosts for measuring: it is no user's line, and it makes no"
    " incident",
}
#: What an archive itself says of a measurement from outside.
_SAID = {
    "archive_controls_failed": "names that nobody blocks failed too",
    "archive_stateful_block": "other names failed for a while after this one",
    "archive_not_alive": "the resolver was not alive, or not reached",
    "archive_excluded": "it leaves the answer out of its anomalies",
}


class Story(msgspec.Struct, frozen=True):
    """What `kholo explain` tells of a measurement, as sentences, and the same as data."""

    verdict: Verdict
    probe: tuple[str, ...]
    control: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    marks: tuple[str, ...]
    part: str
    rule: str
    why: str
    others: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def tell(judge: Judge, measurement: Measurement, observations: list[Observation]) -> Story:
    """The story of a measurement, from its stored observations."""
    verdict = judge.verdict(measurement, observations)
    unit = _deciding(judge, judge.units(measurement, observations), verdict)
    holding = judge.ruleset.decide(unit.facts).holding
    rule = next((held for held in holding if held.id == verdict.rule_id), holding[0])
    ordered = sorted(observations, key=lambda row: row.depth)
    return Story(
        verdict=verdict,
        probe=tuple(_sentence(row) for row in ordered if row.vantage is Vantage.PROBE),
        control=tuple(_sentence(row) for row in ordered if row.vantage is Vantage.CONTROL),
        part=unit.role,
        facts=tuple((name, words(name)) for name in names(unit.facts)),
        marks=tuple(_marks(measurement, observations)),
        rule=rule.id,
        why=rule.why,
        others=tuple((other.id, other.state.value) for other in holding if other is not rule),
        missing=_missing(judge, unit, rule),
    )


def _marks(measurement: Measurement, observations: list[Observation]) -> Iterator[str]:
    """What about the vantage keeps parts of the measurement from counting against the network."""
    if measurement.vantage in _FROM:
        yield _FROM[measurement.vantage]
    if measurement.resolver_network not in ("AS0", measurement.network):
        yield (
            f"the resolver is of {measurement.resolver_network}, the probe was on {measurement.network}: what it"
            " answers says nothing of the probe's network; a person on a VPN looks like this"
        )
    if measurement.network == "AS0":
        yield "the network is not known: the measurement counts for no network"
    if measurement.is_clock_ahead:
        yield "the probe's clock is ahead of the archive's: when it was measured is not known"
    if measurement.is_custom:
        yield "the person running the probe set options of their own"
    if any(row.engine == "helper" for row in observations):
        yield "the control failed: nothing vouches for the site"
    if any("scrubbed" in ip for row in observations for ip in (*row.answers, row.ip)):
        yield "addresses were taken out before it was published: they prove nothing"


def _deciding(judge: Judge, units: list[Unit], verdict: Verdict) -> Unit:
    mine = [unit for unit in units if judge.ruleset.decide(unit.facts).rule.id == verdict.rule_id]
    return mine[0] if mine else units[-1]


def _missing(judge: Judge, unit: Unit, rule: Rule) -> tuple[str, ...]:
    """What would change the verdict: the facts without which the rule that decided would not hold."""
    if rule.when:
        return tuple(
            f"without «{words(name)}» another rule would decide" for name in rule.when if "vantage" not in name
        )
    nearest = [
        (lacking, other)
        for other in judge.ruleset.rules
        if other.is_impaired and (lacking := [name for name in other.when if name not in names(unit.facts)])
    ]
    least = min((len(lacking) for lacking, _ in nearest), default=0)
    return tuple(
        f"with «{words(lacking[0])}» the rule {other.id} might hold"
        for lacking, other in nearest
        if len(lacking) == least == 1 and any(name in names(unit.facts) for name in other.when)
    )


def _sentence(row: Observation) -> str:
    text = _witness(row) or _TELL[row.layer](row)
    return f"(redirect {row.depth}) {text}" if row.depth else text


def _witness(row: Observation) -> str:
    """What was seen through somebody's server, or said of it by the archive; "" for all else."""
    if row.engine == "archive":
        if row.proven:
            return f"The archive knows the certificate at {row.ip} to be the same as at the control's addresses."
        return f"The archive says: {_SAID[row.failure]}." if row.failure in _SAID else ""
    if row.engine == "satellite" and row.vantage is Vantage.CONTROL and not row.answers:
        return "Control resolvers found addresses for the name; which ones is not said."
    seen = _SEEN.get(row.engine)
    return seen(row, row.hostname or "-") if seen else ""


_SEEN: dict[str, Callable[[Observation, str], str]] = {
    "template": lambda _, name: f"Sending the name {name}: the server's usual answer.",
    "trial": lambda row, name: f"Sending the name {name}: {_failed(row)} ({row.layer}).",
    "page": lambda row, name: f"Sending the name {name}: another page than usual, {_page(row)}.",
    "fetched": lambda row, name: f"A page fetched from {row.ip} for {name}: {_page(row)}.",
}


def _page(row: Observation) -> str:
    title = f", title «{row.title}»" if row.title else ""
    return f"status {row.status}{title}" if row.status else "no answer"


def _dns(row: Observation) -> str:
    who = "The control" if row.vantage is Vantage.CONTROL else f"It asked {_WHO.get(row.engine, row.engine)}"
    got = ", ".join(row.answers) if row.answers else _failed(row)
    return _scored(row) or f"{who} for {row.hostname or 'the name'}{_kind(row)}: {got}."


def _kind(row: Observation) -> str:
    return f" ({row.query_type})" if row.query_type in ("A", "AAAA") else ""


def _tcp(row: Observation) -> str:
    return _scored(row) or f"Connecting to {_at(row)}: {_failed(row) if row.failure else 'connected'}."


def _tls(row: Observation) -> str:
    how = "QUIC handshake" if row.layer is Layer.QUIC else "TLS handshake"
    trickle = f", after {_came(row)}" if row.bytes_read else ""
    valid = "completed with a valid certificate" if row.proven else "completed"
    end = _failed(row) if row.failure else valid
    return _scored(row) or f"{how} at {_at(row)} with the name {row.hostname or '-'}: {end}{trickle}."


def _http(row: Observation) -> str:
    if row.engine == "helper":
        return f"The control itself failed: {row.failure}."
    if row.engine == "damaged":
        return f"{row.length} parts of the measurement could not be read and were left out."
    if row.engine in ("result", "lookup"):
        return f"The test says of {'the whole' if row.engine == 'result' else 'a lookup'}: {row.failure or 'it works'}."
    if row.engine == "echo":
        changed = "were changed on the way" if row.failure else "arrived as they were sent"
        return f"Odd requests to an echo server {changed}."
    if row.engine == "archive":
        return f"The archive's listing says: {row.failure or 'no anomaly'}."
    what = row.url or f"the page of {row.hostname}"
    came = f", {_came(row)} with the handshake" if row.bytes_read else ""
    return f"Asking for {what}: {_page(row)}{f', {_failed(row)}' if row.failure else ''}{came}."


def _came(row: Observation) -> str:
    return f"{row.bytes_read} bytes in {row.read_span:.1f} s"


def _scored(row: Observation) -> str:
    if row.scores is None:
        return ""
    blocked, down, fine = row.scores
    seen = f", failure {row.failure}" if row.failure else ""
    return f"The archive scored {row.layer} as blocked {blocked:g}, down {down:g}, fine {fine:g}{seen}."


def _at(row: Observation) -> str:
    return f"[{row.ip}]:{row.port}" if ":" in row.ip else f"{row.ip}:{row.port}"


def _failed(row: Observation) -> str:
    return row.failure or "no answer"


_TELL = {Layer.DNS: _dns, Layer.TCP: _tcp, Layer.TLS: _tls, Layer.QUIC: _tls, Layer.HTTP: _http}
