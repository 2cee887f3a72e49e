"""What a site carries beside its pages: dossiers, the log that they are in, and the key of who publishes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from kholo.disk import file_digest
from kholo.evidence import bundle, keys, log, tlog, witnesses
from kholo.evidence.audit import audit
from kholo.evidence.checks import Outcome, form
from kholo.evidence.log import Log
from kholo.evidence.seal import Statement
from kholo.evidence.shelf import Folder
from kholo.judge import Judge
from kholo.model import DossierError, EnvironmentFault, KholoError, UsageError
from kholo.publish import CaseView
from kholo.publish.inventory import DOSSIERS, LOG
from kholo.publish.site import Attached, Dossier, Key, Listed, Sealed
from kholo.store import Store

from .database import database

#: The database of a whole site, in its folder `data/`.
DATABASE = "kholo.sqlite"


class Extra(msgspec.Struct, frozen=True):
    """What a site carries and looks like besides its cases.

    Folders of dossiers and of their log; the public key of who publishes it, with its name; the database of every
    table; where it stands on the web and where readers write to ("": not known); a font for Urdu, looked for in `fonts`
    and then in the system's; pictures for sharing. Neither of these two is asked for where it `is_plain`.
    """

    dossiers: Path | None = None
    log: Path | None = None
    key: Path | None = None
    key_name: str = ""
    has_database: bool = False
    address: str = ""
    contact: str = ""
    fonts: Path | None = None
    is_plain: bool = False
    has_font: bool = False
    has_cards: bool = False

    @property
    def font_folders(self) -> list[Path]:
        """Where the font is looked for before the system's."""
        return [self.fonts] if self.fonts else []

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files and folders that it is made from."""
        return tuple(path for path in (self.dossiers, self.log, self.key, self.fonts) if path is not None)


def attached(
    wanted: Extra, views: Sequence[CaseView], store: Store | None, judge: Judge, work: Path
) -> tuple[Mapping[str, Dossier], Attached]:
    """The dossiers that stand, by case, and all else that the site carries; the database is made in `work`.

    Raises as `carried`, `key_of`.
    """
    found = carried({view.case.id for view in views}, wanted.dossiers, wanted.log)
    copies = dict(found.copies)
    if wanted.has_database:
        for path in database(views, store, judge, work / DATABASE):
            copies[_listed(path, f"data/{path.name}")] = path
    key = key_of(wanted.key, wanted.key_name) if wanted.key else None
    return found.standing, Attached(copies, found.earlier, key, wanted.contact)


class Carried(msgspec.Struct, frozen=True):
    """Dossiers and log of a site. `standing` and `earlier` by case, `copies` as in `publish.site.Attached`."""

    standing: Mapping[str, Dossier]
    earlier: Mapping[str, tuple[Dossier, ...]]
    copies: Mapping[Listed, Path]


class _Found(msgspec.Struct, frozen=True):
    """A dossier in a folder, with its entry in the log."""

    path: Path
    said: Statement
    sha256: str
    size: int
    index: int | None
    sealed: Sealed | None


def carried(cases: Collection[str], dossiers: Path | None, log_folder: Path | None) -> Carried:
    """Check both and say what is copied where.

    Of several dossiers of a case the last in the log stands, else the one with the latest moment. Raises `UsageError`
    for a dossier of another case, or two that can't be told apart; `DossierError`, `LogError`, `EnvironmentFault`.
    """
    copies: dict[Listed, Path] = {}
    read: Log | None = None
    if log_folder is not None:
        read, copies = _log(log_folder)
    found = sorted(_dossiers(dossiers, cases, read), key=lambda one: one.said.case) if dossiers else []
    standing: dict[str, Dossier] = {}
    earlier: dict[str, tuple[Dossier, ...]] = {}
    for case, group in groupby(found, key=lambda one: one.said.case):
        last, *others = sorted(group, key=_age, reverse=True)
        standing[case] = _shown(last, f"{case}.zip", read)
        earlier[case] = tuple(_shown(one, f"{case}.{one.said.root[:16]}.zip", read) for one in others)
        for one, shown in zip((last, *others), (standing[case], *earlier[case]), strict=True):
            copies[Listed(f"{DOSSIERS}{shown.file}", one.size, one.sha256)] = one.path
    return Carried(standing, earlier, copies)


def _age(found: _Found) -> tuple[int, float, str]:
    return (-1 if found.index is None else found.index, found.said.as_of.timestamp(), found.said.root)


def _log(folder: Path) -> tuple[Log, dict[Listed, Path]]:
    """The log, and its files; what a run that was cut off left beyond its head is no part of it yet."""
    shelf = Folder(folder)
    found = audit(shelf, log.own_keys(shelf)).log
    names = [tlog.CHECKPOINT, log.KEYS, *(name for name in shelf.files("tile") if _is_signed(name, found.size))]
    return found, {_listed(folder / name, f"{LOG}{name}"): folder / name for name in names}


def _is_signed(name: str, size: int) -> bool:
    place = tlog.tile_of(name)
    if place is None:
        return False
    level, index, width = place
    return index * tlog.WIDTH + width <= size >> (8 * level if isinstance(level, int) else 0)


def _listed(path: Path, name: str) -> Listed:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error
    return Listed(name, size, file_digest(path))


def _dossiers(folder: Path, cases: Collection[str], read: Log | None) -> list[_Found]:
    entries = {entry.statement: index for index, entry in enumerate(read.entries)} if read else {}
    found: dict[tuple[str, str], _Found] = {}
    for path in sorted(folder.glob("*.zip")):
        with bundle.opened(path) as dossier:
            wrong = [check.says for check in form(dossier) if check.outcome is Outcome.FAILED]
            said = dossier.statement
            sealed = None if wrong else _sealed(path, dossier)
        if wrong:
            raise DossierError(f"{path}: {wrong[0]} (kholo verify says more)")
        if said.case not in cases:
            raise UsageError(f"{path}: is a dossier of the case {said.case}, which is no case of this site")
        one = _listed(path, "")
        if other := found.get((said.case, said.root[:16])):
            raise UsageError(f"{path}: is the same dossier as {other.path.name}; leave one out")
        index = entries.get(log.digest(said.encode()))
        found[said.case, said.root[:16]] = _Found(path, said, one.sha256, one.size, index, sealed)
    if not found:
        raise UsageError(f"{folder}: there is no dossier (*.zip)")
    return list(found.values())


def _sealed(path: Path, dossier: bundle.Dossier) -> Sealed | None:
    """Who vouches for a dossier; None where the library to check it with is not here."""
    try:
        signed, stamps = witnesses.signed_with(dossier), witnesses.stamped_by(dossier)
    except EnvironmentFault:
        return None
    except KholoError as error:
        raise DossierError(f"{path}: its seal is not right: {error} (kholo verify says more)") from error
    times = tuple((one.time, one.authority) for one in stamps if one)
    return Sealed(tuple(key.fingerprint for key in signed), times, stamps.count(None))


def _shown(found: _Found, file: str, read: Log | None) -> Dossier:
    said = found.said
    shown = Dossier(file, said.root, as_of=said.as_of, sha256=found.sha256, size=found.size, sealed=found.sealed)
    if read is None or found.index is None:
        return shown
    later = tuple(index for index, entry in enumerate(read.entries) if entry.case == said.case and index > found.index)
    return msgspec.structs.replace(
        shown,
        index=found.index,
        origin=read.opened.head.origin,
        supersedes=read.entries[found.index].supersedes,
        later=later,
    )


def key_of(path: Path, name: str) -> Key:
    """The public key in a file such as `kholo key new` writes. Raises `KeyFileError`, `UsageError`."""
    data = keys.read(path)
    if data.startswith(b"-----BEGIN"):
        raise UsageError(f"{path}: is a private key; give the public one ({path.name}.pub)")
    found = keys.load_public(data.decode("utf-8", "replace"))
    return Key(name or found.comment, found.fingerprint, keys.PublicKey(found.blob).line)
