"""A dossier made: what a case rests on is gathered, all is computed anew from it alone, and sealed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from kholo import __version__
from kholo.evidence import bag, bundle, container, crate, keys, seal, sshsig
from kholo.evidence.bag import Head
from kholo.evidence.seal import Statement
from kholo.evidence.spool import Spool
from kholo.judge import Judge
from kholo.model import CaseError, EnvironmentFault, Problem
from kholo.model.text import clean
from kholo.publish import CaseView
from kholo.publish.data import case_content
from kholo.publish.rows import case_page
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store

from . import raw, sets
from .cases import Assessed, Declared, assessed, rejects_of, shown
from .custody_carried import carried
from .events import months_elsewhere
from .findings import PDF, findings
from .gather import Object, gathered
from .ingest import take_items
from .others import elsewhere
from .selection import Chosen, chosen
from .software import lock, software
from .verdicts import judged

#: Bytes of one file of a case: a copy of a page.
_MAX_CASE_FILE = 256 << 20
#: Characters of a name inside of a case: the rest of a path in a dossier needs some too.
_MAX_NAME = 80
SET, SNAPSHOTS, CASE = "data/reference/set", "data/reference/snapshots", "data/case"
DECLARED, CUSTODY = "data/declared.json", "data/custody.jsonl"

Tell = Callable[[str, int, int], None]


class Made(msgspec.Struct, frozen=True):
    """What was made. `digest` is the SHA-256 of the file, `root` of the tree; `measurements` were carried as raw."""

    statement: Statement
    digest: str
    size: int
    files: int
    measurements: int
    signed_by: tuple[str, ...]
    not_inside: tuple[str, ...]


class Wish(msgspec.Struct, frozen=True):
    """What a dossier is to be made of. `as_of` is UTC; `places` are looked in for raw files that were moved."""

    folder: Path
    as_of: datetime
    places: tuple[Path, ...] = ()
    workers: int = 1


def make(
    wish: Wish, store: Store | None, judge: Judge, out: Path, signers: Sequence[keys.PrivateKey], tell: Tell
) -> Made:
    """Make the dossier of a case. `tell` is called with the step and how far it is.

    Raises `CaseError`, `UsageError`, and `EnvironmentFault` where raw bytes are not at hand any more.
    """
    found = assessed(wish.folder, store, judge, wish.as_of)
    whole = shown(wish.folder, found, store, judge, wish.as_of)
    with tempfile.TemporaryDirectory(prefix=".kholo-dossier-", dir=out.parent if out.parent.is_dir() else None) as work:
        maker = _Maker(wish, store, judge, Path(work), tell)
        with (Path(work) / "spool").open("w+b") as stream:
            spool = Spool(stream)
            head = maker.fill(spool, found, whole, "secret" if signers else "public")
            secret = keys.secret_of(signers[0], "kholo-dossier") if signers else bytes(seal.SALT)
            statement, leaves = bundle.sealed(spool, head, secret)
            tell("writing", 0, 1)
            digest = bundle.write_dossier(out, spool, head, statement, leaves, signatures(statement, signers))
            tell("writing", 1, 1)
            return Made(
                statement, digest, out.stat().st_size, len(spool.files), head.counts["raw"],
                tuple(key.public.fingerprint for key in signers), head.not_inside,
            )  # fmt: skip


def signatures(statement: Statement, signers: Sequence[keys.PrivateKey]) -> dict[str, bytes]:
    """The tag files that sign a statement: by each key a signature, and the key beside it."""
    tags: dict[str, bytes] = {}
    for key in signers:
        tags |= sshsig.signed(statement.encode(), key, seal.NAMESPACE, "seal/signatures/")
    return tags


class _Maker:
    """Fills the payload of one dossier."""

    def __init__(self, wish: Wish, store: Store | None, judge: Judge, work: Path, tell: Tell) -> None:
        self._wish, self._store, self._judge, self._work, self._tell = wish, store, judge, work, tell

    def fill(self, spool: Spool, found: Assessed, whole: CaseView, salts: str) -> Head:
        """Put everything into the spool; raises where what is computed from it alone is something else than `whole`."""
        declared, measured, told = self._chosen(found)
        spool.add(DECLARED, msgspec.json.encode(declared) + b"\n")
        _put_tree(spool, CASE, _case_files(self._wish.folder))
        replayed, count = self._replayed(spool, [*measured, *told])
        self._tell("computing", 0, 1)
        again = findings(self._wish.folder, replayed, self._judge, self._wish.as_of, declared, self._work / "derived")
        self._tell("computing", 1, 1)
        if wrong := differing(_figures(whole), _figures(again)):
            raise EnvironmentFault(
                "what the raw measurements of this dossier give is not what the store gives, so it is not written:\n  "
                + "\n  ".join(wrong)
            )
        _put_tree(spool, "data", files_below(self._work / "derived"))
        self._reference(spool)
        self._software(spool)
        if self._store is not None and (log := carried(self._store.root, found.case.id)):
            spool.add(CUSTODY, log)
        head = Head(
            format=seal.FORMAT,
            case=found.case.id,
            title=found.case.title,
            as_of=self._wish.as_of,
            simulated=again.simulated,
            software=f"kholo {__version__}",
            set=sets.name_of(self._judge),
            salts=salts,
            counts={"raw": count, "measurements": len(measured), "signals": len(told)},
            not_inside=_not_inside(declared, spool.files),
        )
        spool.add("data/README.txt", _readme(head))
        spool.add(bag.HEAD, head.encode())
        names = [name.removeprefix("data/") for name in spool.files]
        spool.add(crate.NAME, crate.crate(head, crate.parts_of(names)))
        return head

    def _chosen(self, found: Assessed) -> tuple[Declared, list[Chosen], list[Chosen]]:
        """What is declared, and the measurements and signals to carry."""
        if self._store is None:
            return Declared(), [], []
        case, as_of = found.case, self._wish.as_of
        with judged(self._store, self._judge) as db:
            declared = Declared(
                months=tuple(months_elsewhere(db, case.place, case.simulated, as_of)),
                elsewhere=elsewhere(db, case, as_of),
                rejects=rejects_of(db),
            )
            return declared, *chosen(db, case, found.found, as_of)

    def _replayed(self, spool: Spool, wanted: list[Chosen]) -> tuple[Store, int]:
        """A store made from the raw items alone, each of which is put into the spool on its way."""
        store = Store(self._work / "store", create=True)
        if self._store is not None and self._store.reference.is_dir():
            shutil.copytree(self._store.reference, store.reference)
        rows: list[raw.Raw] = []
        objects: list[Object] = []

        def items() -> Iterator[Item]:
            if self._store is None:
                return
            context = Context(self._wish.as_of, self._judge.reference.line_of)
            tell = partial(self._tell, "gathering")
            for one in gathered(self._store, wanted, self._wish.places, context, objects.append, tell):
                row, item = raw.keep(spool, one)
                rows.append(row)
                yield item

        with store.writing():
            take_items(store, self._judge, items(), self._wish.as_of, self._wish.workers)
        spool.add(raw.INDEX, raw.index(rows))
        spool.add(raw.OBJECTS, raw.objects(objects))
        return store, len(rows)

    def _reference(self, spool: Spool) -> None:
        for name, data in ((sets.RULES, self._judge.ruleset.source), *self._judge.reference.files):
            spool.add(f"{SET}/{name}", data)
        if self._store is not None:
            for name, path in files_below(self._store.reference).items():
                spool.add(f"{SNAPSHOTS}/{name}", path.read_bytes())

    @staticmethod
    def _software(spool: Spool) -> None:
        spool.add("data/software/software.json", msgspec.json.encode(software()) + b"\n")
        spool.add("data/software/requirements.txt", lock().encode())


def _figures(view: CaseView) -> dict[str, Any]:
    return case_content(case_page(view))


#: Lines of a difference that a message lists.
_FEW = 5


def differing(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two values are not the same, the first few places, each in a line."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(str(key), one.get(key), other.get(key)) for key in sorted(one.keys() | other.keys())]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(str(place), *both) for place, both in enumerate(zip(one, other, strict=True))]
    elif one == other:
        return []
    else:
        return [f"{where}: {_short(one)} against {_short(other)}"]
    found: list[str] = []
    for key, first, second in pairs:
        found += differing(first, second, f"{where}.{key}" if where else key)
        if len(found) >= _FEW:
            return found[:_FEW]
    return found


def _short(value: Any) -> str:
    return clean(repr(value), 80)


def _put_tree(spool: Spool, below: str, files: dict[str, Path]) -> None:
    for name, path in files.items():
        with path.open("rb") as stream:
            spool.add(f"{below}/{name}", iter(partial(stream.read, 1 << 20), b""))


def files_below(folder: Path) -> dict[str, Path]:
    """All files below a folder by their names in it, sorted; none where there is no such folder."""
    found = (path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in found))


def _case_files(folder: Path) -> dict[str, Path]:
    """The files of a case. Raises `CaseError` for what a dossier can't hold."""
    found: dict[str, Path] = {}
    wrong: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in name.split("/")) or path.is_dir():
            continue
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_CASE_FILE:
            wrong.append(Problem(clean(name), 0, "", "can't go into a dossier: it is a link, no file, or too large"))
        elif not container.PATH.fullmatch(name) or len(name) > _MAX_NAME:
            why = "can't go into a dossier under this name; rename it (letters, digits, . _ -; short)"
            wrong.append(Problem(clean(name), 0, "", why))
        else:
            found[name] = path
    if wrong:
        raise CaseError(wrong)
    return found


def _not_inside(declared: Declared, files: Iterable[str]) -> tuple[str, ...]:
    """What a reader might look for in vain, in sentences."""
    said = []
    if declared.months:
        said.append(
            "What reachable lines in other countries look like is stated as monthly counts (declared.json), not"
            " recomputed from their measurements."
        )
    if declared.elsewhere:
        said.append(
            "What was seen from outside, or by hosted probes, is stated as counts (declared.json). It is no evidence"
            " of a block here, and its raw data, which names machines of others, is left out."
        )
    if declared.rejects:
        said.append("Of input that could not be read only the count is stated (declared.json).")
    if not any(name.endswith(PDF) for name in files):
        said.append("The reports for a court are here as text only: Typst or a font for Urdu was not installed.")
    return tuple(said)


def _readme(head: Head) -> bytes:
    notice = "SIMULATED DATA. Nothing of this happened.\n\n" if head.simulated else ""
    parts = "".join(f"  data/{part:<16} {says}\n" for part, says in crate.PARTS.items())
    return (
        f"{notice}{head.title}\n\n"
        f"This is the dossier of the case {head.case} as of {head.as_of:%Y-%m-%d %H:%M} UTC: all that its figures rest"
        " on, sealed so that a change of any byte is found.\n\n"
        f"{parts}\n"
        "To check it: kholo verify FILE. Without kholo: bagit.py --validate on the unpacked folder for its files;\n"
        f"ssh-keygen -Y verify -n {seal.NAMESPACE} -s seal/signatures/KEY.sig < seal/statement.txt for who signed it;\n"
        "openssl ts -verify -data covers.txt -in response.tsr in each folder of seal/timestamps for when.\n"
        "docs/dossier-format.md of kholo says how everything is put together.\n"
    ).encode()
