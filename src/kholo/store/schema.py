"""The tables of a store and their columns. Types are DuckDB's; ClickHouse has each of them under another name."""

from __future__ import annotations

_MEASUREMENT = {
    "measurement_uid": "VARCHAR",
    "digest": "VARCHAR",
    "kind": "VARCHAR",
    "source": "VARCHAR",
    "test_name": "VARCHAR",
    "test_version": "VARCHAR",
    "input": "VARCHAR",
    "hostname": "VARCHAR",
    "measured_at": "TIMESTAMP",
    "place": "VARCHAR",
    "network": "VARCHAR",
    "resolver_network": "VARCHAR",
    "resolver_place": "VARCHAR",
    "report": "VARCHAR",
    "simulated": "BOOLEAN",
    "file": "VARCHAR",
    "line": "BIGINT",
    "is_custom": "BOOLEAN",
    "is_clock_ahead": "BOOLEAN",
    "vantage": "VARCHAR",
    "content": "VARCHAR",
}

_OBSERVATION = {
    "measurement_uid": "VARCHAR",
    "content": "VARCHAR",
    "place_in": "INTEGER",
    "layer": "VARCHAR",
    "vantage": "VARCHAR",
    "hostname": "VARCHAR",
    "ip": "VARCHAR",
    "port": "INTEGER",
    "failure": "VARCHAR",
    "depth": "INTEGER",
    "t0": "DOUBLE",
    "t": "DOUBLE",
    "engine": "VARCHAR",
    "resolver": "VARCHAR",
    "query_type": "VARCHAR",
    "answers": "VARCHAR[]",
    "answer_networks": "BIGINT[]",
    "proven": "BOOLEAN",
    "url": "VARCHAR",
    "status": "INTEGER",
    "length": "BIGINT",
    "truncated": "BOOLEAN",
    "title": "VARCHAR",
    "server": "VARCHAR",
    "location": "VARCHAR",
    "via": "VARCHAR",
    "header_names": "VARCHAR[]",
    "body": "VARCHAR",
    "bytes_read": "BIGINT",
    "read_span": "DOUBLE",
    "scores": "DOUBLE[]",
    "target": "VARCHAR",
}

_REJECT = {
    "file": "VARCHAR",
    "line": "BIGINT",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "digest": "VARCHAR",
}

_VERDICT = {
    "measurement_uid": "VARCHAR",
    "content": "VARCHAR",
    "report": "VARCHAR",
    "input": "VARCHAR",
    "test_name": "VARCHAR",
    "measured_at": "TIMESTAMP",
    "service": "VARCHAR",
    "place": "VARCHAR",
    "network": "VARCHAR",
    "state": "VARCHAR",
    "layer": "VARCHAR",
    "mechanism": "VARCHAR",
    "also": "VARCHAR[]",
    "reachable": "BOOLEAN",
    "locus": "VARCHAR",
    "evidence": "VARCHAR",
    "grade": "VARCHAR",
    "rule_id": "VARCHAR",
    "ruleset": "VARCHAR",
    "reference": "VARCHAR",
    "simulated": "BOOLEAN",
    "vantage": "VARCHAR",
}

_SIGNAL = {
    "source": "VARCHAR",
    "signal": "VARCHAR",
    "kind": "VARCHAR",
    "place": "VARCHAR",
    "network": "VARCHAR",
    "service": "VARCHAR",
    "since": "TIMESTAMP",
    "until": "TIMESTAMP",
    "value": "DOUBLE",
    "usual": "DOUBLE",
    "unit": "VARCHAR",
    "detail": "VARCHAR",
    "simulated": "BOOLEAN",
    "digest": "VARCHAR",
    "file": "VARCHAR",
    "line": "BIGINT",
}

#: Column name to type, by table.
TABLES: dict[str, dict[str, str]] = {
    "measurements": _MEASUREMENT,
    "observations": _OBSERVATION,
    "rejects": _REJECT,
    "signals": _SIGNAL,
    "verdicts": _VERDICT,
}
#: What is kept as received; everything else can be thrown away and comes back the same.
FACTS = ("measurements", "observations", "rejects", "signals")


def columns(table: str) -> str:
    """The columns as `read_json` takes them."""
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in TABLES[table].items()) + "}"


def columns_of(table: str) -> tuple[str, ...]:
    """The names of the columns."""
    return tuple(TABLES[table])


def empty(table: str) -> str:
    """A query that gives the table's columns and no row."""
    parts = ", ".join(f"NULL::{kind} AS {name}" for name, kind in TABLES[table].items())
    return f"SELECT {parts} WHERE false"
