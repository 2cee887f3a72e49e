"""Bodies in gzip and brotli, the same bytes each time, and which of them a client takes (RFC 9110, 12.5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from isal import igzip

try:
    import brotli

    _BROTLI: ModuleType | None = brotli
except ImportError:
    _BROTLI = None

#: Codings that there are here, the smaller one first.
CODINGS = ("br", "gzip") if _BROTLI else ("gzip",)
#: Brotli of more than this takes ten times as long for a fiftieth less (docs/decisions/0023-serving.md).
_QUALITY = 5
_MOST_ACCEPTED = 20


def packed(body: bytes, level: int = 1) -> bytes:
    """The body in gzip."""
    return bytes(igzip.compress(body, level, mtime=0))


def in_codings(body: bytes) -> dict[str, bytes]:
    """The body in each coding in which it is shorter, for what is packed once and sent often."""
    made = {"gzip": packed(body, 3)}
    if _BROTLI is not None:
        made["br"] = _BROTLI.compress(body, quality=_QUALITY)
    return {name: made[name] for name in CODINGS if len(made[name]) < len(body)}


def wanted(headers: Mapping[str, str], offered: Sequence[str]) -> str:
    """The coding of those offered that `Accept-Encoding` wants most; of equals the first; "": the body as it is."""
    header = headers.get("accept-encoding", "")
    weights = dict(filter(None, map(_weighed, header.lower().split(",")[:_MOST_ACCEPTED])))
    best, most = "", weights.get("identity", 0.0)
    for name in offered:
        weight = weights.get(name, weights.get("*", 0.0))
        if weight > 0 and (weight > most or (not best and weight == most)):
            best, most = name, weight
    return best


def _weighed(part: str) -> tuple[str, float] | None:
    """A coding with its weight; None where that is none."""
    name, _, rest = part.partition(";")
    name = name.strip().removeprefix("x-")
    key, _, value = rest.partition("=")
    if not rest.strip():
        return name, 1.0
    try:
        weight = float(value) if value.strip()[:1].isdigit() and value.isascii() else -1.0
    except ValueError:
        weight = -1.0
    return (name, weight) if key.strip() == "q" and 0 <= weight <= 1 else None
