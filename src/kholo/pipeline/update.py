"""Update reference data: fetch what there is now, and keep it as a snapshot where it is new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec

from kholo.fetch.plan import Asked
from kholo.model import UsageError
from kholo.reference import Kind, Snapshot
from kholo.reference.snapshots import New, add
from kholo.reference.testlists import is_list
from kholo.reference.unpack import MAX_UNPACKED, members
from kholo.store import Store


class Origin(msgspec.Struct, frozen=True):
    """Where a kind of reference data is from if nothing else is said, and on which terms."""

    addresses: tuple[str, ...]
    licence: str


_PRINTS = "https://raw.githubusercontent.com/ooni/blocking-fingerprints/main"
ORIGINS: Mapping[Kind, Origin] = {
    "fingerprints": Origin(
        (f"{_PRINTS}/fingerprints_dns.csv", f"{_PRINTS}/fingerprints_http.csv"), "OONI; none is stated where they are"
    ),
    "networks": Origin(("https://iptoasn.com/data/ip2asn-combined.tsv.gz",), "iptoasn.com; PDDL 1.0"),
    "test-lists": Origin(
        ("https://github.com/citizenlab/test-lists/archive/refs/heads/master.tar.gz",),
        "Citizen Lab and others; CC BY-NC-SA 4.0",
    ),
}


def _is_table(name: str) -> bool:
    """Not ip-location-db's form in which addresses are plain numbers."""
    return name.endswith((".csv", ".tsv", ".tsv.gz", ".pfx2as", ".pfx2as.gz")) and "-num." not in name


def _is_fingerprints(name: str) -> bool:
    return name.endswith((".csv", ".json", ".jsonl")) and ("fingerprint" in name or "signature" in name)


#: Which files of a packed tar are of a kind.
_WANTED: Mapping[Kind, Callable[[str], bool]] = {
    "fingerprints": _is_fingerprints,
    "networks": _is_table,
    "test-lists": is_list,
}


def update(
    store: Store, kind: Kind, origins: tuple[str, ...], web: Asked, begins: date, now: datetime, licence: str
) -> tuple[Snapshot, bool]:
    """Keep what is at `origins` (files, or addresses on the web) as a snapshot that is in force from a day on.

    False beside it: the same is in force on that day already, and nothing was added. Nothing half-written stays. Raises
    `UsageError`, `ReferenceDataError` naming the file and the line, `NetworkFault`, and `StoreError` when another
    process writes.
    """
    if begins > now.date():
        raise UsageError(f"{begins} lies in the future; today is {now.date()} (UTC)")
    files: list[tuple[str, bytes]] = []
    for origin in origins:
        files += members(origin, _got(origin, kind, web), _WANTED[kind])
    named = tuple(origin if _is_address(origin) else f"the file {Path(origin).name}" for origin in origins)
    with store.writing():
        return add(
            store.reference, New(kind, [(_name(name), data) for name, data in files], named, begins, now, licence)
        )


def _is_address(origin: str) -> bool:
    return origin.startswith(("https://", "http://"))


def _got(origin: str, kind: Kind, web: Asked) -> bytes:
    if _is_address(origin):
        return web.get(origin, f"the {kind.replace('-', ' ')}")
    path = Path(origin)
    if not path.is_file():
        raise UsageError(f"{origin}: no such file, and no address that begins with https://")
    if path.stat().st_size > MAX_UNPACKED:
        raise UsageError(f"{origin}: larger than {MAX_UNPACKED >> 20} MiB; is it reference data?")
    return path.read_bytes()


def _name(name: str) -> str:
    """The last part of an address or a path, without what a question mark brings."""
    return PurePosixPath(unquote(urlsplit(name).path)).name
