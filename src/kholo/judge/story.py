"""One measurement as a story in sentences: what the probe did, what the control saw, which rule decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from kholo.model import Layer, Measurement, Observation, Vantage, Verdict
from kholo.wording import Told

from . import Judge
from .facts import names, words
from .failures import failed, layer_name
from .gather import Unit
from .ruleset import Rule
from .wording import say

#: Who can be asked, and what an archive itself says of a measurement from outside; each has a sentence.
WHO = frozenset({"system", "udp", "doh", "dot", "archive", "satellite"})
SAID = frozenset({"archive_controls_failed", "archive_stateful_block", "archive_not_alive", "archive_excluded"})


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


class Telling(msgspec.Struct, frozen=True):
    """A story, with the sentences that it is made of."""

    story: Story
    probe: tuple[Told, ...]
    control: tuple[Told, ...]
    marks: tuple[Told, ...]
    missing: tuple[Told, ...]


def tell(judge: Judge, measurement: Measurement, observations: list[Observation]) -> Telling:
    """The story of a measurement, from its stored observations."""
    verdict = judge.verdict(measurement, observations)
    unit = _deciding(judge, judge.units(measurement, observations), verdict)
    holding = judge.ruleset.decide(unit.facts).holding
    rule = next((held for held in holding if held.id == verdict.rule_id), holding[0])
    ordered = sorted(observations, key=lambda row: row.depth)
    sentences = {
        "probe": tuple(_sentence(row) for row in ordered if row.vantage is Vantage.PROBE),
        "control": tuple(_sentence(row) for row in ordered if row.vantage is Vantage.CONTROL),
        "marks": tuple(_marks(measurement, observations)),
        "missing": _missing(judge, unit, rule),
    }
    story = Story(
        verdict=verdict,
        part=unit.role,
        facts=tuple((name, words(name)) for name in names(unit.facts)),
        rule=rule.id,
        why=rule.why,
        others=tuple((other.id, other.state.value) for other in holding if other is not rule),
        **{name: tuple(map(str, texts)) for name, texts in sentences.items()},
    )
    return Telling(story, **sentences)


def _marks(measurement: Measurement, observations: list[Observation]) -> Iterator[Told]:
    """What about the vantage keeps parts of the measurement from counting against the network."""
    if measurement.vantage is Vantage.REMOTE:
        yield say("mark.remote")
    if measurement.vantage is Vantage.HOSTED:
        yield say("mark.hosted")
    if measurement.resolver_network not in ("AS0", measurement.network):
        yield say("mark.resolver", resolver=measurement.resolver_network, network=measurement.network)
    if measurement.network == "AS0":
        yield say("mark.no_network")
    if measurement.is_clock_ahead:
        yield say("mark.clock")
    if measurement.is_custom:
        yield say("mark.custom")
    if any(row.engine == "helper" for row in observations):
        yield say("mark.control_failed")
    if any("scrubbed" in ip for row in observations for ip in (*row.answers, row.ip)):
        yield say("mark.scrubbed")


def _deciding(judge: Judge, units: list[Unit], verdict: Verdict) -> Unit:
    mine = [unit for unit in units if judge.ruleset.decide(unit.facts).rule.id == verdict.rule_id]
    return mine[0] if mine else units[-1]


def _missing(judge: Judge, unit: Unit, rule: Rule) -> tuple[Told, ...]:
    """What would change the verdict: the facts without which the rule that decided would not hold."""
    if rule.when:
        return tuple(say("missing.without", fact=words(name)) for name in rule.when if "vantage" not in name)
    nearest = [
        (lacking, other)
        for other in judge.ruleset.rules
        if other.is_impaired and (lacking := [name for name in other.when if name not in names(unit.facts)])
    ]
    least = min((len(lacking) for lacking, _ in nearest), default=0)
    return tuple(
        say("missing.with", fact=words(lacking[0]), rule=other.id)
        for lacking, other in nearest
        if len(lacking) == least == 1 and any(name in names(unit.facts) for name in other.when)
    )


def _sentence(row: Observation) -> Told:
    text = _witness(row) or _TELL[row.layer](row)
    return say("story.redirect", depth=row.depth) + text if row.depth else text


def _witness(row: Observation) -> Told:
    """What was seen through somebody's server, or said of it by the archive; "" for all else."""
    if row.engine == "archive":
        if row.proven:
            return say("story.certificate", address=row.ip)
        return say("story.archive", what=say(f"story.{row.failure}")) if row.failure in SAID else Told()
    if row.engine == "satellite" and row.vantage is Vantage.CONTROL and not row.answers:
        return say("story.controls_found")
    seen = _SEEN.get(row.engine)
    return seen(row, row.hostname or "-") if seen else Told()


_SEEN: dict[str, Callable[[Observation, str], Told]] = {
    "template": lambda _, name: say("story.template", name=name),
    "trial": lambda row, name: say("story.trial", name=name, failure=_failed(row), layer=layer_name(row.layer)),
    "page": lambda row, name: say("story.page", name=name, page=_page(row)),
    "fetched": lambda row, name: say("story.fetched", address=row.ip, name=name, page=_page(row)),
}


def _page(row: Observation) -> Told:
    title = say("story.title", title=row.title) if row.title else Told()
    return say("story.status", status=row.status, title=title) if row.status else say("story.no_answer")


def _dns(row: Observation) -> Told:
    if row.scores is not None:
        return _scored(row, row.scores)
    asked = {
        "name": row.hostname or say("story.dns.name"),
        "type": say("story.dns.type", type=row.query_type) if row.query_type in ("A", "AAAA") else Told(),
        "got": ", ".join(row.answers) if row.answers else _failed(row),
    }
    if row.vantage is Vantage.CONTROL:
        return say("story.dns.control", **asked)
    return say("story.dns", who=say(f"story.who.{row.engine}") if row.engine in WHO else row.engine, **asked)


def _tcp(row: Observation) -> Told:
    if row.scores is not None:
        return _scored(row, row.scores)
    return say("story.tcp", address=_at(row), end=_ended(row, say("story.tcp.ok")))


def _tls(row: Observation) -> Told:
    if row.scores is not None:
        return _scored(row, row.scores)
    end = _ended(row, say("story.completed.valid" if row.proven else "story.completed"))
    if row.bytes_read:
        end = say("story.trickle", end=end, bytes=row.bytes_read, seconds=f"{row.read_span:.1f}")
    return say(
        "story.quic" if row.layer is Layer.QUIC else "story.tls", address=_at(row), name=row.hostname or "-", end=end
    )


def _http(row: Observation) -> Told:
    if row.engine in _REST:
        return _REST[row.engine](row)
    what = row.url or say("story.http.name", name=row.hostname)
    if row.failure and row.status:
        return say("story.http.failed", what=what, page=_page(row), failure=_came(row, failed(row.failure)))
    return say("story.http", what=what, page=_came(row, failed(row.failure) if row.failure else _page(row)))


def _came(row: Observation, end: Told) -> Told:
    """How a request ended, and how much came in what time, where that is known."""
    if not row.bytes_read:
        return end
    return say("story.came", end=end, bytes=row.bytes_read, seconds=f"{row.read_span:.1f}")


#: What is told of a measurement as a whole stands at the last layer.
_REST: dict[str, Callable[[Observation], Told]] = {
    "helper": lambda row: say("story.control_failed", failure=_failed(row)),
    "damaged": lambda row: say("story.damaged", parts=row.length),
    "result": lambda row: say("story.test", end=_ended(row, say("story.test.ok"))),
    "lookup": lambda row: say("story.test.lookup", end=_ended(row, say("story.test.ok"))),
    "echo": lambda row: say("story.echo.changed" if row.failure else "story.echo.same"),
    "archive": lambda row: say("story.listing", end=_ended(row, say("story.listing.ok"))),
}


def _scored(row: Observation, scores: tuple[float, float, float]) -> Told:
    blocked, down, fine = (f"{score:g}" for score in scores)
    shown = {"layer": layer_name(row.layer), "blocked": blocked, "down": down, "fine": fine}
    if row.failure:
        return say("story.scored.failed", **shown, failure=failed(row.failure))
    return say("story.scored", **shown)


def _at(row: Observation) -> str:
    return f"[{row.ip}]:{row.port}" if ":" in row.ip else f"{row.ip}:{row.port}"


def _failed(row: Observation) -> Told:
    return failed(row.failure) if row.failure else say("story.no_answer")


def _ended(row: Observation, well: Told) -> Told:
    """How a step ended; `well` is how one does that did not fail."""
    return failed(row.failure) if row.failure else well


_TELL = {Layer.DNS: _dns, Layer.TCP: _tcp, Layer.TLS: _tls, Layer.QUIC: _tls, Layer.HTTP: _http}
