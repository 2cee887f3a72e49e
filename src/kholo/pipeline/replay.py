"""A dossier computed anew: from the raw measurements and the record inside of it to every figure, which is compared."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from kholo.disk import file_digest
from kholo.evidence import bag
from kholo.evidence.bag import Head
from kholo.evidence.bundle import Dossier
from kholo.evidence.checks import Check, failed, head_of, not_checked, passed
from kholo.judge import load_ruleset
from kholo.model import CaseError, DossierError, Grade, ReferenceDataError
from kholo.reference import KEPT_SNAPSHOTS, load_reference
from kholo.store import Store

from . import raw, sets
from .cases import Declared
from .custody_carried import check
from .dossier import CASE, CUSTODY, DECLARED, SET, SNAPSHOTS, differing, files_below
from .findings import CASE as FIGURES
from .findings import PDF, findings
from .ingest import take_items
from .software import Software, software

#: Bytes of a file of the record or of the reference data, and of the figures.
_MAX_FILE, _MAX_FIGURES = 256 << 20, 256 << 20
_SOFTWARE = "data/software/software.json"
#: What the re-run makes again.
_PARTS = {
    "results": "incidents, assessments, clocks and every other figure",
    "tables": "observations and verdicts",
    "pages": "the pages",
    "papers": "the reports for a court",
}
_DERIVED = tuple(f"data/{part}/" for part in _PARTS)

Tell = Callable[[str, int, int], None]


def replay(dossier: Dossier, workers: int, tell: Tell, below: Path | None = None) -> Iterator[Check]:
    """Compute everything anew, in a folder that is removed afterwards, and say what came of it."""
    try:
        with tempfile.TemporaryDirectory(prefix="kholo-verify-", dir=below) as work:
            yield from _replay(dossier, Path(work), workers, tell)
    except (DossierError, ReferenceDataError, CaseError) as error:
        says = f"it could not be computed anew: {error}"
        is_held = any(not leaf.is_open for leaf in dossier.leaves())
        yield not_checked("re-run", f"{says} (something is withheld)") if is_held else failed("re-run", says)


def _replay(dossier: Dossier, work: Path, workers: int, tell: Tell) -> Iterator[Check]:
    head = head_of(dossier)
    if not head.counts.get("raw"):
        yield not_checked(
            "measurements", "there are no raw measurements inside: what it says rests on published findings and on the"
            " record alone",
        )  # fmt: skip
    yield _same_software(dossier)
    yield _custody(dossier)
    store = Store(work / "store", create=True)
    _unpack(dossier, f"{SNAPSHOTS}/", store.reference)
    _unpack(dossier, f"{SET}/", store.sets / head.set)
    _unpack(dossier, f"{CASE}/", work / "case")
    judge = sets.load(store, head.set)
    yield _same_rules(store.sets / head.set)
    with store.writing():
        take_items(
            store, judge, raw.items(dossier, _listed(dossier, head)), head.as_of, workers, partial(_judging, tell, head)
        )
    tell("computing", 0, 1)
    findings(work / "case", store, judge, head.as_of, _declared(dossier), work / "derived")
    tell("computing", 1, 1)
    yield from _compared(dossier, work / "derived", _rests_on(store))


def _listed(dossier: Dossier, head: Head) -> list[raw.Raw]:
    """The raw items that are listed: as many as are said to be inside, each once."""
    rows, blacked = raw.decode_index(dossier)
    places = [(row.file, row.object, row.line) for row in rows]
    if len(rows) + blacked != head.counts.get("raw") or sorted(set(places)) != places:
        raise DossierError(f"{raw.INDEX}: lists {len(rows)} raw items, some twice, or not as many as {bag.HEAD} says")
    return rows


def _unpack(dossier: Dossier, below: str, folder: Path) -> None:
    """Write the files below a path into a folder; their paths were checked when the dossier was opened."""
    for name in dossier.names:
        if name.startswith(below):
            path = folder / name.removeprefix(below)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(dossier.read(name, _MAX_FILE))


def _declared(dossier: Dossier) -> Declared:
    try:
        return msgspec.json.decode(dossier.read(DECLARED, _MAX_FILE), type=Declared)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DossierError(f"{DECLARED}: {error}") from None


def _judging(tell: Tell, head: Head, done: int, _bytes: int) -> None:
    tell("judging", done, head.counts.get("raw", 0))


def _custody(dossier: Dossier) -> Check:
    """Whether the custody log inside is one chain."""
    if CUSTODY not in dossier.names:
        return not_checked("custody", "it carries no custody log, or not any more: nothing says who did what with it")
    count, left = check(dossier.read(CUSTODY, _MAX_FILE))
    others = f"; {left} of them, of other cases, are left out but for their digests" if left else ""
    return passed(
        "custody", f"the custody log inside is one unbroken chain of {count} entries{others}; what each of them says is"
        " the word of who wrote it",
    )  # fmt: skip


def _same_software(dossier: Dossier) -> Check:
    """Whether what runs here is what made the dossier."""
    try:
        made = msgspec.json.decode(dossier.read(_SOFTWARE, _MAX_FILE), type=Software)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DossierError(f"{_SOFTWARE}: {error}") from None
    here = software()
    if made.source == here.source:
        return passed("software", f"kholo {here.version} here is the very software that made the dossier")
    return not_checked(
        "software",
        f"the dossier was made by kholo {made.version} (source {made.source[:12]}), and this is kholo {here.version}"
        f" (source {here.source[:12]}): what another version computes may differ",
    )


def _same_rules(kept: Path) -> Check:
    """Whether it was judged by what this kholo ships: somebody's own rules give whatever they are made to give."""
    shipped = {sets.RULES: load_ruleset().source, **dict(load_reference().files)}
    own = []
    for name, path in files_below(kept).items():
        if name == KEPT_SNAPSHOTS:
            own += [f"{SNAPSHOTS}/{digest}" for digest in json.loads(path.read_bytes())]
        elif shipped.get(name) != path.read_bytes():
            own.append(f"{SET}/{name}")
    if own:
        return not_checked(
            "rules", "it was judged by rules or reference data that this kholo does not ship: read them before you"
            " rely on what follows from them", own,
        )  # fmt: skip
    return passed("rules", "it was judged by the rules and the reference data that this kholo ships")


#: What carries each grade of measurement (`kholo.model.Grade`).
_GRADED = {Grade.A: "raw measurements", Grade.B: "results that an archive gives of single measurements"}


def _rests_on(store: Store) -> str:
    """What was carried, counted by grade: who reads "raw" must be able to take it at its word."""
    with store.connect() as db:
        counts = dict(db.execute("SELECT kind, count(*) FROM measurements GROUP BY kind ORDER BY kind").fetchall())
    return (
        " and ".join(f"{number} {_GRADED.get(Grade(kind), 'others')}" for kind, number in counts.items()) or "nothing"
    )


def _compared(dossier: Dossier, derived: Path, rests_on: str) -> Iterator[Check]:
    """Each derived file against what was computed here."""
    here = files_below(derived)
    there = {name.removeprefix("data/") for name in dossier.names if name.startswith(_DERIVED)}
    held = [leaf for leaf in dossier.leaves() if not leaf.is_open]
    for part, what in _PARTS.items():
        mine, theirs = ({name for name in names if name.startswith(f"{part}/")} for names in (here.keys(), there))
        if not mine and not theirs:
            continue
        unlike = _printed_otherwise(dossier, mine & theirs, here) if part == "papers" else set()
        missing = {name for name in theirs - mine if name.endswith(PDF)}
        if unlike or missing:
            yield not_checked(
                "pdf", "the PDFs are not those that this machine makes (another Typst, other fonts, or none): rely on"
                " the reports as text, which are compared", sorted(unlike | missing),
            )  # fmt: skip
        mine, theirs = mine - unlike - missing, theirs - unlike - missing
        wrong = [f"{name}: is not in the dossier" for name in sorted(mine - theirs)]
        wrong += [f"{name}: does not come of what is inside" for name in sorted(theirs - mine)]
        wrong += [line for name in sorted(mine & theirs) for line in _differences(dossier, name, here[name])]
        yield _verdict(part, what, len(mine), wrong, bool(held), rests_on)


def _printed_otherwise(dossier: Dossier, names: set[str], here: dict[str, Path]) -> set[str]:
    """The PDFs that differ: how they look hangs on Typst and on fonts, and so proves nothing."""
    return {name for name in names if name.endswith(PDF) and _differences(dossier, name, here[name])}


def _differences(dossier: Dossier, name: str, path: Path) -> list[str]:
    """In what a file of the dossier differs from the one computed here; nothing where it is the same."""
    if file_digest(path) == dossier.digest(f"data/{name}"):
        return []
    if name == FIGURES:
        try:
            theirs = json.loads(dossier.read(f"data/{name}", _MAX_FIGURES))
        except (ValueError, RecursionError):
            return [f"{name}: is not JSON"]
        return [f"{name}: {line}" for line in differing(theirs, json.loads(path.read_bytes()))] or [f"{name}: differs"]
    return [f"{name}: differs from what was computed here"]


def _verdict(part: str, what: str, files: int, wrong: list[str], is_held: bool, rests_on: str) -> Check:
    if not wrong:
        base = f"computed anew from {rests_on}" if part == "results" else "made anew"
        return passed(part, f"{what}, {base}: the same in all {files} files, to the byte")
    if is_held:
        return not_checked(part, f"{what} can't all be computed anew, since something they rest on is withheld", wrong)
    return failed(part, f"{what} are not what follows from the measurements and the record inside", wrong)
