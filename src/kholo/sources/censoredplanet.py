"""Censored Planet: measurements from outside, through servers and resolvers that stand in the networks."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from . import folder, hyperquack, satellite
from .envelope import Refused
from .items import Item
from .satellite import Joined
from .source import Aside, Context, Decoded, Given, Source

_NONE = Raw(b"")


class _Shape(msgspec.Struct, gc=False):
    """The keys that tell the kinds of rows apart."""

    satellite_row: Raw = _NONE
    Server: Raw = _NONE
    Results: Raw = _NONE
    vp: Raw = _NONE
    test_url: Raw = _NONE
    stateful_block: Raw = _NONE
    in_control_group: Raw = _NONE
    resolver: Raw = _NONE
    query: Raw = _NONE
    passed: Raw = _NONE
    error: Raw = _NONE
    name: Raw = _NONE
    names: Raw = _NONE
    country: Raw = _NONE
    location: Raw = _NONE
    answers: Raw = _NONE
    response: Raw = _NONE
    non_zero_rcode: Raw = _NONE
    ip: Raw = _NONE
    asnum: Raw = _NONE
    cert: Raw = _NONE
    keyword: Raw = _NONE
    fetched: Raw = _NONE
    fingerprint: Raw = _NONE
    pattern: Raw = _NONE


_SHAPE = msgspec.json.Decoder(_Shape)
_JOINED = msgspec.json.Decoder(Joined)
_QUACK1 = msgspec.json.Decoder(hyperquack.Version1)
_QUACK2 = msgspec.json.Decoder(hyperquack.Version2)
_SATELLITE1 = msgspec.json.Decoder(satellite.Version1)
_SATELLITE2 = msgspec.json.Decoder(satellite.Version2)

#: One of these stands in every row; cheaper to see than its shape.
_SIGNS = (b'"satellite_row"', b'"Server"', b'"vp"', b'"resolver"', b'"asnum"', b'"fetched"', b'"fingerprint"')
_ALONE = Joined(Raw(b""))
#: Kinds of rows by the keys that they have; the first that fits counts. The last ones only say something of other rows:
#: of resolvers, of addresses, of pages.
_KINDS = (
    ("joined", ("satellite_row",)),
    ("hyperquack1", ("Server", "Results")),
    ("hyperquack2", ("vp", "test_url", "stateful_block")),
    ("satellite2", ("vp", "test_url", "in_control_group")),
    ("satellite1", ("resolver", "query", "passed")),
    ("satellite1", ("resolver", "query", "error")),
    *(
        ("aside", keys)
        for keys in (
            ("resolver", "name"), ("resolver", "names"), ("resolver", "country"), ("resolver", "answers"),
            ("resolver", "non_zero_rcode"), ("vp", "name"), ("vp", "names"), ("vp", "location"), ("vp", "response"),
            ("ip", "asnum"), ("ip", "cert"), ("keyword", "fetched"), ("fingerprint", "pattern"),
        )
    ),
)  # fmt: skip


def _kind(data: bytes) -> str:
    """What kind of row it is; "" for none of ours. Raises what msgspec raises on broken JSON."""
    if not any(sign in data for sign in _SIGNS):
        return ""
    try:
        shape = _SHAPE.decode(data)
    except msgspec.ValidationError:
        return ""
    return next((kind for kind, keys in _KINDS if all(getattr(shape, key) for key in keys)), "")


def recognises(data: bytes) -> bool:
    """Whether the bytes are a row of Hyperquack or Satellite, or one that says something of them."""
    return bool(_kind(data))


def decode(item: Item, context: Context) -> Iterator[Given]:
    """Raises `Refused`, and what msgspec raises."""
    kind = _kind(item.data)
    if kind == "aside":
        yield Aside()
    elif kind == "hyperquack1":
        yield hyperquack.version1(item, _QUACK1.decode(item.data), context)
    elif kind == "hyperquack2":
        yield hyperquack.version2(item, _QUACK2.decode(item.data), context)
    elif kind == "joined":
        beside = _JOINED.decode(item.data)
        row = bytes(beside.satellite_row)
        yield _satellite(item, _kind(row), row, beside, context)
    else:
        yield _satellite(item, kind, item.data, _ALONE, context)


def _satellite(item: Item, kind: str, row: bytes, beside: Joined, context: Context) -> Decoded:
    if kind == "satellite1":
        return satellite.version1(item, _SATELLITE1.decode(row), beside, context)
    if kind == "satellite2":
        return satellite.version2(item, _SATELLITE2.decode(row), beside, context)
    raise Refused("unknown_row", "no row of Satellite's results")


SOURCE = Source(
    id="censoredplanet",
    name="Censored Planet",
    what="Measurements from outside, through servers (Hyperquack) and open resolvers (Satellite) in the networks.",
    address="https://censoredplanet.org/data/raw",
    terms="not said in the files; see censoredplanet.org",
    recognises=recognises,
    decode=decode,
    files=tuple(
        (name, folder.results) for stem in ("results", "interference") for name in (f"{stem}.json", f"{stem}.json.gz")
    ),
)
