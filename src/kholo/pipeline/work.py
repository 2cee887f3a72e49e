"""What one worker does with a batch of items: decode, observe, judge. A pure function of its input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from kholo.judge import Judge
from kholo.model import Measurement, Observation, Reject, Signal, Verdict
from kholo.observe import observe
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Aside, Context

_ENCODER = msgspec.json.Encoder()


class Line(msgspec.Struct, gc=False):
    """One measurement through the whole line, each table's rows as JSON. `content` tells contents apart."""

    uid: str
    kind: str
    content: str
    digest: str
    measurement: bytes
    observations: bytes
    verdict: bytes


class Worked(msgspec.Struct):
    """What became of a batch of items."""

    lines: list[Line]
    rejects: list[Reject]
    signals: list[Signal] = msgspec.field(default_factory=list)
    aside: int = 0


#: Measurements taken through each step together: a step that repeats runs faster than steps that take turns.
STRIDE = 32

Judged = tuple[Measurement, list[Observation], Verdict]


def work(items: Iterable[Item], context: Context, judge: Judge) -> Worked:
    """Take a batch of items through the line."""
    done = Worked([], [])
    for found in judged(items, context, judge):
        if isinstance(found, tuple):
            done.lines.append(line(*found))
        elif isinstance(found, Signal):
            done.signals.append(found)
        elif isinstance(found, Reject):
            done.rejects.append(found)
        else:
            done.aside += found.rows
    return done


def judged(items: Iterable[Item], context: Context, judge: Judge) -> Iterator[Judged | Signal | Aside | Reject]:
    """From text to observations to verdicts, a few items at a time; what is no measurement before their verdicts."""
    waiting = iter(items)
    while stride := list(islice(waiting, STRIDE)):
        decoded = [found for item in stride for found in registry.decode(item, context)]
        good = [found for found in decoded if isinstance(found, tuple)]
        observed = [(measurement, observe(payload, measurement.input)) for measurement, payload in good]
        verdicts = [judge.verdict(measurement, rows) for measurement, rows in observed]
        yield from (found for found in decoded if not isinstance(found, tuple))
        yield from (
            (measurement, rows, verdict) for (measurement, rows), verdict in zip(observed, verdicts, strict=True)
        )


def line(measurement: Measurement, observations: list[Observation], verdict: Verdict) -> Line:
    """The rows of one measurement."""
    facts = _ENCODER.encode_lines(observations)
    known = _ENCODER.encode(
        (measurement.kind, measurement.test_name, measurement.input, measurement.measured_at, measurement.place,
         measurement.network, measurement.resolver_network, measurement.report, measurement.simulated,
         measurement.vantage)
    )  # fmt: skip
    content = hashlib.sha256(known + facts).hexdigest()[:32]
    key = b'{"measurement_uid":' + _ENCODER.encode(measurement.measurement_uid) + b',"content":"' + content.encode()
    # An encoded row has no line break inside (JSON escapes them), so the lines are the rows.
    rows = b"".join(
        [key + b'","place_in":%d,' % place + fact[1:] for place, fact in enumerate(facts.splitlines(keepends=True))]
    )
    return Line(
        uid=measurement.measurement_uid,
        kind=measurement.kind,
        content=content,
        digest=measurement.digest,
        measurement=_with_content(_ENCODER.encode(measurement), content),
        observations=rows,
        verdict=verdict_row(verdict, content, measurement.report),
    )


def verdict_row(verdict: Verdict, content: str, report: str) -> bytes:
    """A verdict as a row of its table: with what tells contents and reports apart."""
    return _with_content(_ENCODER.encode(verdict), content)[:-2] + b',"report":"' + report.encode() + b'"}\n'


def _with_content(row: bytes, content: str) -> bytes:
    return row[:-1] + b',"content":"' + content.encode() + b'"}\n'
