"""Observations from rows of OONI's own observation tables: the field's published form of the same facts."""

from __future__ import annotations

from urllib.parse import urlsplit

from kholo.model import Layer, Observation, Vantage
from kholo.sources.table import Row, Rows

from .steps import failure

#: A step that neither went well nor names a failure was not made: the tables write 0 for that too.
_TRUE = frozenset({"1", "1.0", "true", "True", "t"})


def observe(rows: Rows) -> list[Observation]:
    """What the probe did, step by step. Such tables have no control: nothing is said of it."""
    return [found for row in rows.observation_rows for found in _steps(row)]


def _steps(row: Row) -> list[Observation]:
    name, ip, port, found = row.hostname[:253], row.ip[:64], _port(row.port), []
    if row.dns_answer or row.dns_failure:
        answers = (row.dns_answer[:253],) if row.dns_answer else ()
        failed = failure(row.dns_failure)
        engine = row.dns_engine[:32] or "system"
        found.append(Observation(Layer.DNS, Vantage.PROBE, name, engine=engine, answers=answers, failure=failed))
    if row.tcp_success in _TRUE or row.tcp_failure:
        found.append(Observation(Layer.TCP, Vantage.PROBE, "", ip, port, failure(row.tcp_failure)))
    if row.tls_success in _TRUE or row.tls_failure:
        failed = failure(row.tls_failure)
        found.append(Observation(Layer.TLS, Vantage.PROBE, name, ip, port, failed, proven=None if failed else True))
    if url := row.http_request_url[:2048]:
        failed = failure(row.http_failure)
        status = 0 if failed else 200
        found.append(Observation(Layer.HTTP, Vantage.PROBE, _host(url), ip, port, failed, url=url, status=status))
    return found


def _port(text: str) -> int:
    try:
        port = int(float(text or 0))
    except (ValueError, OverflowError):
        return 0
    return port if 0 <= port <= 65_535 else 0


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:253]
    except ValueError:
        return ""
