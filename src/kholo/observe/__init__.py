"""From a measurement to the facts in it: what happened, per endpoint and layer. Nothing here says "censorship"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kholo.model import Layer, Observation, Vantage
from kholo.sources import keys
from kholo.sources.ooni import Listed, Payload, Scores
from kholo.sources.source import Observed
from kholo.sources.table import Rows

from . import platforms, rows, web_connectivity
from .steps import failure

__all__ = ["observe"]

#: Stand-in failures of an archive's listing, which tells no more than these.
CONFIRMED, ANOMALY, FAILED = "archive_confirmed", "archive_anomaly", "archive_failure"

_BY_KIND: dict[type[Any], Callable[[Any], list[Observation]]] = {
    keys.Plain: platforms.plain,
    keys.Bootstrap: platforms.bootstrap,
    keys.Tor: platforms.tor,
    keys.DnsCheck: platforms.dnscheck,
    keys.EchCheck: platforms.echcheck,
    keys.Middlebox: platforms.middlebox,
    keys.Browser: platforms.browser,
}


def observe(payload: Payload | Observed, url: str | None) -> list[Observation]:
    """The observations of one measurement of `url`; empty for a test that is not judged or holds nothing."""
    if payload is None:
        return []
    if isinstance(payload, Observed):
        return payload.rows
    if isinstance(payload, Scores):
        return _scores(payload)
    if isinstance(payload, Listed):
        return [_listed(payload)]
    if isinstance(payload, Rows):
        return rows.observe(payload)
    if isinstance(payload, keys.WebConnectivity):
        found = web_connectivity.observe(payload, url or "")
    else:
        found = _BY_KIND[type(payload)](payload)
    if damaged := keys.total_damage(payload):
        found.append(Observation(Layer.HTTP, Vantage.PROBE, engine="damaged", length=damaged))
    return found


def _scores(row: Scores) -> list[Observation]:
    layers = (
        (Layer.DNS, row.top_dns_failure, (row.dns_blocked, row.dns_down, row.dns_ok)),
        (Layer.TCP, row.top_tcp_failure, (row.tcp_blocked, row.tcp_down, row.tcp_ok)),
        (Layer.TLS, row.top_tls_failure, (row.tls_blocked, row.tls_down, row.tls_ok)),
    )
    return [
        Observation(layer, Vantage.PROBE, failure=failure(failed), engine="archive", scores=scores)
        for layer, failed, scores in layers
    ]


def _listed(row: Listed) -> Observation:
    failed = CONFIRMED if row.confirmed else FAILED if row.failure else ANOMALY if row.anomaly else None
    return Observation(Layer.HTTP, Vantage.PROBE, failure=failed, engine="archive")
