"""From a measurement to the facts in it: what happened, per endpoint and layer. Nothing here says "censorship"."""

from __future__ import annotations

from kholo.model import Layer, Observation, Vantage
from kholo.sources.ooni import Listed, Payload, Scores
from kholo.sources.web_connectivity import WebConnectivity

from . import web_connectivity

__all__ = ["observe"]

#: Stand-in failures of an archive's listing, which tells no more than these.
CONFIRMED, ANOMALY, FAILED = "archive_confirmed", "archive_anomaly", "archive_failure"


def observe(payload: Payload, url: str | None) -> list[Observation]:
    """The observations of one measurement of `url`; empty for a test that is not read yet or holds nothing."""
    if isinstance(payload, WebConnectivity):
        return web_connectivity.observe(payload, url or "")
    if isinstance(payload, Scores):
        return _scores(payload)
    if isinstance(payload, Listed):
        return [_listed(payload)]
    return []


def _scores(row: Scores) -> list[Observation]:
    layers = (
        (Layer.DNS, row.top_dns_failure, (row.dns_blocked, row.dns_down, row.dns_ok)),
        (Layer.TCP, row.top_tcp_failure, (row.tcp_blocked, row.tcp_down, row.tcp_ok)),
        (Layer.TLS, row.top_tls_failure, (row.tls_blocked, row.tls_down, row.tls_ok)),
    )
    return [
        Observation(layer, Vantage.PROBE, failure=web_connectivity.failure(failed), engine="archive", scores=scores)
        for layer, failed, scores in layers
    ]


def _listed(row: Listed) -> Observation:
    failed = CONFIRMED if row.confirmed else FAILED if row.failure else ANOMALY if row.anomaly else None
    return Observation(Layer.HTTP, Vantage.PROBE, failure=failed, engine="archive")
