"""Parameters: what each may be, in a schema and in code, and reading them from an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from kholo.model import SignalKind, State, Vantage

from .cursors import MAX
from .problems import Problem

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?", re.ASCII)
MAX_LIMIT = 1_000
_MOST_FIELDS = 30


class Param(msgspec.Struct, frozen=True):
    """One parameter. `read` raises `ValueError` saying what is allowed."""

    name: str
    about: str
    schema: dict[str, Any]
    read: Callable[[str], Any]
    example: str
    where: str = "query"


def _pattern(name: str, about: str, pattern: str, example: str, *, upper: bool = False, where: str = "query") -> Param:
    """A parameter that is one word."""
    rule = re.compile(pattern, re.ASCII)

    def read(text: str) -> str:
        if not rule.fullmatch(text):
            raise ValueError(f"as in {example}")
        return text.upper() if upper else text

    return Param(name, about, {"type": "string", "pattern": f"^{pattern}$"}, read, example, where)


def _choice(name: str, about: str, allowed: Sequence[str], example: str, default: str | None = None) -> Param:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    schema: dict[str, Any] = {"type": "string", "enum": list(allowed)}
    return Param(name, about, schema | ({"default": default} if default else {}), read, example)


def _seconds(text: str) -> int:
    """A date or time as whole seconds since 1970 (UTC)."""
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        raise ValueError("a date or a time as in 2024-02-17 or 2024-02-17T18:00:00Z") from None


def moment_of(seconds: int) -> str:
    """Seconds since 1970 as they are written in an address."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _moment(name: str, about: str, example: str) -> Param:
    schema = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
    return Param(name, about, schema, _seconds, example)


def _limit(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text, re.ASCII) or int(text) > MAX_LIMIT:
        raise ValueError(f"a number from 1 to {MAX_LIMIT}")
    return int(text)


SERVICE = _pattern("service", "Only this service, by its id in /services.", r"[a-z0-9._-]{1,64}", "x")
PLACE = _pattern("place", "Only this country, ISO 3166 alpha-2.", r"[A-Za-z]{2}", "PK", upper=True)
NETWORK = _pattern("network", "Only this network.", r"[Aa][Ss][0-9]{1,10}", "AS17557", upper=True)
SOURCE = _pattern("source", "Only this archive.", r"[a-z0-9._-]{1,64}", "ioda")
STATE = _choice("state", "Only this state.", [one.value for one in State], "blocked")
SIGNAL_KIND = _choice("kind", "Only levels, or only outages.", [one.value for one in SignalKind], "outage")
VANTAGE = _choice(
    "vantage", "Only what was measured on users' lines (probe), from outside (remote) or by hosted devices (hosted).",
    [Vantage.PROBE.value, Vantage.REMOTE.value, Vantage.HOSTED.value], "probe",
)  # fmt: skip
SINCE = _moment("since", "From this moment on (UTC); of what lasts: what still lasted then.", "2024-02-17")
UNTIL = _moment("until", "Before this moment (UTC).", "2024-02-18T12:00:00Z")
SIMULATED = Param(
    "simulated",
    "`true`: only invented rows; `false`: only real ones. One answer never has both.",
    {"type": "boolean", "default": False},
    lambda text: _choice("simulated", "", ["true", "false"], "").read(text) == "true",
    "true",
)
ORDER = _choice(
    "order", "By the time of measurement: `asc` oldest first, `desc` newest first.", ["asc", "desc"], "desc", "asc"
)
LIMIT = Param(
    "limit", "Rows of a page, at most.", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100},
    _limit, "100",
)  # fmt: skip
CURSOR = _pattern("cursor", "`next` of the page before has it.", rf"[A-Za-z0-9_-]{{1,{MAX}}}", "WyJ4Il0")
FORMAT = _choice("format", "Goes before `Accept`.", ["json", "jsonl", "csv"], "csv")
ONE_FORMAT = _choice("format", "Goes before `Accept`.", ["json"], "json")
CASE = _pattern("case", "Id of a case.", r"[a-z0-9-]{1,100}", "x-pakistan-2024", where="path")
INCIDENT = _pattern("incident", "Id of an incident.", r"[A-Za-z0-9._-]{1,200}", "x-PK-blocked-202402", where="path")
UID = _pattern(
    "uid", "A measurement_uid.", r"[!-~]{1,300}", "20240217183045.123456_PK_webconnectivity_0123456789abcdef",
    where="path",
)  # fmt: skip
PROBLEM = _pattern("problem", "Name of a kind of problem.", r"[a-z-]{1,40}", "bad-parameter", where="path")


def read(query: str, params: Sequence[Param]) -> dict[str, Any]:
    """The values in the query part of an address. Raises `Problem` for what is not allowed."""
    known = {param.name: param for param in params if param.where == "query"}
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Problem(
            "bad-parameter", "what stands after ? is not of the form name=value&name=value, in UTF-8"
        ) from None
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name not in known:
            raise Problem("bad-parameter", f"{name[:60]}: no such parameter; there is: {', '.join(known) or 'none'}")
        if name in values:
            raise Problem("bad-parameter", f"{name}: given twice")
        try:
            values[name] = known[name].read(text)
        except ValueError as error:
            raise Problem("bad-parameter", f"{name}: {error}") from None
    return values
