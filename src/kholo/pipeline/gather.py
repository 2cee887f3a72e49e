"""The bytes of what was chosen: found again in the files that it was read from, and known by their digests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec

from kholo.disk import file_digest
from kholo.fetch.ledger import Ledger, Receipt
from kholo.model import EnvironmentFault, Signal
from kholo.model.text import clean
from kholo.sources import archives, registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store

from .fetch import folder_of
from .selection import Chosen

#: Names of files that a message lists.
_FEW = 5


class Object(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that raw items were read from, as `raw/objects.jsonl` has it.

    `name` has no folder of the machine. Where it was fetched: the source, the address, when (UTC), and the ETag.
    """

    object: int
    name: str
    size: int
    sha256: str
    source: str = ""
    address: str = ""
    fetched_at: datetime | None = None
    etag: str = ""


class Gathered(msgspec.Struct, frozen=True):
    """An item with where it was found, and the id of the measurement in it (or of the first)."""

    item: Item
    object: int
    uid: str


class _Wanted:
    """What is still to be found: by the file that it was read from, and by digest."""

    def __init__(self, chosen: Iterable[Chosen]) -> None:
        self.files: dict[str, list[Chosen]] = {}
        self.digests: dict[str, str] = {}
        for one in chosen:
            self.digests[one.digest] = one.uid
            for name in _names(one.file):
                self.files.setdefault(name, []).append(one)

    def take(self, item: Item, inner: Callable[[Item], Iterable[str]]) -> str | None:
        """The id of what the item is or holds, where that is wanted; it is then no longer. None: it is not."""
        digest = item.digest
        uids = [
            self.digests.pop(one)
            for one in ([digest] if digest in self.digests else inner(item))
            if one in self.digests
        ]
        return uids[0] if uids else None


def gathered(
    store: Store,
    chosen: Sequence[Chosen],
    places: Sequence[Path],
    context: Context,
    keep: Callable[[Object], None],
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[Gathered]:
    """The items that hold what was chosen, each once, in the order of files and lines. `keep` is told of each file.

    A file that is no longer where it was read from is looked for in `places`. `tell` is called with files done and in
    all. Raises `EnvironmentFault` where the bytes of something are not at hand any more.
    """
    wanted = _Wanted(chosen)
    receipts = _receipts(store)
    paths = _paths(store, wanted.files, places)
    for number, (path, name) in enumerate(paths):
        is_kept = False
        for item, uid in _items(path, name, wanted, context):
            if not is_kept:
                keep(_object(number, path, name, receipts))
                is_kept = True
            yield Gathered(item, number, uid)
        tell(number + 1, len(paths))
    if wanted.digests:
        raise EnvironmentFault(_missing(wanted))


def _items(path: Path, name: str, wanted: _Wanted, context: Context) -> Iterator[tuple[Item, str]]:
    here = wanted.files.get(name, [])
    lines, has_parts = {one.line for one in here if one.file == name}, any(one.file != name for one in here)

    def inner(item: Item) -> Iterator[str]:
        # What stands inside of an answer or a wrapper has a digest of its own; most items need not be decoded for it.
        if here and not has_parts and item.line not in lines:
            return
        for found in registry.decode(item, context):
            if isinstance(found, tuple):
                yield found[0].digest
            elif isinstance(found, Signal):
                yield found.digest

    try:
        with path.open("rb") as stream:
            for found in archives.read_file(path, name, stream):
                if not wanted.digests:
                    return
                if isinstance(found, Item) and (uid := wanted.take(found, inner)) is not None:
                    yield found, uid
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error


def _paths(store: Store, files: Iterable[str], places: Sequence[Path]) -> list[tuple[Path, str]]:
    """The files to look in, with the names that rows call them by; all that lies in `places` after them."""
    found: dict[Path, str] = {}
    for name in sorted(files):
        for path in (store.root / "fetched" / name, Path(name)):
            if path.is_file():
                found.setdefault(path, name)
    more = {path: str(path) for path in archives.find(list(places))}
    return [*found.items(), *((path, name) for path, name in sorted(more.items()) if path not in found)]


def _names(file: str) -> Iterator[str]:
    """What the file may be called that rows call so: parts of it have `#` and more behind its name."""
    yield file
    while "#" in file:
        file = file.rpartition("#")[0]
        yield file


def _receipts(store: Store) -> dict[str, tuple[str, Receipt]]:
    root = store.root / "fetched"
    sources = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return {
        f"{source}/{receipt.name}": (source, receipt)
        for source in sources
        for receipt in Ledger(folder_of(store, source)).all()
    }


def _object(number: int, path: Path, name: str, receipts: dict[str, tuple[str, Receipt]]) -> Object:
    size, digest = path.stat().st_size, file_digest(path)
    source, receipt = receipts.get(name, ("", None))
    if receipt is None:
        return Object(number, clean(PurePosixPath(name).name, 120), size, digest)
    return Object(number, receipt.name, size, digest, source, receipt.address, receipt.fetched_at, receipt.etag)


def _missing(wanted: _Wanted) -> str:
    files = sorted({name for name, some in wanted.files.items() if any(one.digest in wanted.digests for one in some)})
    few = ", ".join(files[:_FEW]) + (f" and {len(files) - _FEW} more" if len(files) > _FEW else "")
    return (
        f"the bytes of {len(wanted.digests)} measurements are not where they were read from ({few}), and a dossier"
        " holds them; say where those files are now with --raw PATH"
    )
