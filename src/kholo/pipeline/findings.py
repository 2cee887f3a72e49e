"""Everything that is computed of a case, as files: what a dossier holds, and what its re-run has to give again."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.judge import Judge
from kholo.model import Cell, EnvironmentFault
from kholo.papers import languages, paper, render
from kholo.publish import CaseView, build_site
from kholo.publish.data import case_data
from kholo.publish.rows import case_page
from kholo.store import Store, columns_of

from . import sets
from .cases import Declared, assessed, shown
from .site import of_views
from .verdicts import verdict_files

#: Tables of the store that a dossier holds, each in an order of its own.
_TABLES = {
    "measurements": "measurement_uid, content",
    "observations": "measurement_uid, content, place_in",
    "signals": "source, signal, kind, place, network, service, since, until, value, digest, line",
    "verdicts": "measurement_uid, content",
}
CASE, CELLS, PDF = "results/case.json", "results/cells.jsonl", ".pdf"


def findings(folder: Path, store: Store, judge: Judge, as_of: datetime, declared: Declared, out: Path) -> CaseView:
    """Compute a case and write it below `out`: `tables/`, `results/`, `pages/` and `papers/`."""
    found = assessed(folder, store, judge, as_of, declared)
    made = shown(folder, found, store, judge, as_of, declared)
    (out / "results").mkdir(parents=True, exist_ok=True)
    (out / CASE).write_bytes(case_data(case_page(made)))
    (out / CELLS).write_bytes(b"".join(map(_counts, found.cells)))
    _tables(store, judge, out / "tables")
    build_site(of_views([made], store, judge), out / "pages")
    _reports(made, out / "papers")
    return made


def _reports(made: CaseView, out: Path) -> None:
    """The report for a court in each language, as text and, where Typst and the fonts are here, as PDF."""
    out.mkdir(parents=True, exist_ok=True)
    for code in languages():
        report = paper(made, "report", code)
        (out / f"report.{code}.txt").write_bytes(render(report, "txt"))
        with suppress(EnvironmentFault):
            (out / f"report.{code}{PDF}").write_bytes(render(report, "pdf"))


def _counts(cell: Cell) -> bytes:
    """The counts of an hour on a network. Which report said what stays out: it links what one person measured."""
    fields: dict[str, object] = msgspec.to_builtins(cell)
    return msgspec.json.encode({name: value for name, value in fields.items() if name not in {"votes", "dark"}}) + b"\n"


def _tables(store: Store, judge: Judge, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with store.connect() as db:
        store.view(db, "verdicts", verdict_files(store, sets.name_of(judge)))
        # One thread and a full order: the same rows make the same file, in whatever memory it was sorted.
        db.execute("SET threads = 1")
        db.execute("SET memory_limit = '300MB'")
        for table, order in _TABLES.items():
            path = str(out / f"{table}.parquet").replace("'", "''")
            names = ", ".join(columns_of(table))
            db.execute(
                f"COPY (SELECT {names} FROM {table} ORDER BY {order}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608
            )
