"""Copies of the sources of a case, fetched and kept inside of it, so that a page that is gone can still be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from kholo.disk import write_if_changed
from kholo.fetch.page import Visitor, warc
from kholo.model import Entry, NetworkFault, NotThere, Source, UsageError
from kholo.record import load_case
from kholo.record.edit import with_value
from kholo.record.format import ENTRY
from kholo.record.text import nearest, shown

from .casework import text_of

FOLDER = "sources"
#: Seconds between two visits to one host.
BETWEEN = 2.0


class Kept(msgspec.Struct, frozen=True):
    """What became of a source: `kept`, `shared` (another entry has it), `gone`, `failed`. The JSON names are public."""

    entry_id: str
    address: str
    outcome: str
    archived: str | None = None
    sha256: str | None = None
    because: str = ""


def archive(
    folder: Path, identity: str | None, visitor: Visitor, services: Iterable[str], now: Callable[[], datetime]
) -> Iterator[Kept]:
    """Fetch every source that has an address and no copy, of one entry or of all, and write it into its entry.

    A copy is written whole before the entry names it; an address is fetched once, however many entries have it.
    Raises `CaseError` where the case is wrong, `UsageError` where there is no such entry.
    """
    case = load_case(folder, services)
    ids = [entry.id for entry in case.entries]
    if identity is not None and identity not in ids:
        raise UsageError(f"{folder}: there is no entry {shown(identity)}; {nearest(identity, sorted(ids))}")
    have = {
        source.address: (source.archived, source.sha256)
        for entry in case.entries
        for source in entry.sources
        if source.address and source.archived and source.sha256
    }
    failed: dict[str, Kept] = {}
    visited: set[str] = set()
    for entry in case.entries:
        for place, source in enumerate(entry.sources if identity in (None, entry.id) else ()):
            if source.address and not source.archived:
                yield _kept(folder, entry, place, source, visitor, now, have, failed, visited)


def _kept(
    folder: Path,
    entry: Entry,
    place: int,
    source: Source,
    visitor: Visitor,
    now: Callable[[], datetime],
    have: dict[str, tuple[str, str]],
    failed: dict[str, Kept],
    visited: set[str],
) -> Kept:
    address = source.address
    if address in failed:
        return msgspec.structs.replace(failed[address], entry_id=entry.id)
    outcome = "shared" if address in have else "kept"
    if outcome == "kept":
        host = urlsplit(address).netloc
        if host in visited:
            visitor.timing.pause(BETWEEN)
        visited.add(host)
        try:
            data = warc(visitor.page(address), now())
        except NetworkFault as error:
            what = "gone" if isinstance(error, NotThere) else "failed"
            failed[address] = Kept(entry.id, address, what, because=str(error))
            return failed[address]
        name = f"{FOLDER}/{_name(address)}.warc.gz"
        write_if_changed(folder / name, data)
        have[address] = name, hashlib.sha256(data).hexdigest()
    archived, digest = have[address]
    text = text_of(folder, entry.file)
    for key, value in (("archived", archived), ("sha256", digest)):
        text = with_value(text, ENTRY, f"source.{place}.{key}", value)
    write_if_changed(folder / entry.file, text.encode())
    return Kept(entry.id, address, outcome, archived, digest)


def _name(address: str) -> str:
    """The host for a person, and a digest of the address for what tells two of its pages apart."""
    host = re.sub(r"[^a-z0-9.]+", "-", (urlsplit(address).hostname or "").lower()).strip("-.")
    return f"{host[:60]}-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
