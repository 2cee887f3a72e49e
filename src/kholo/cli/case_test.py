"""`kholo case test` and `kholo case law`: the three-part test of a case, and the provisions concerned."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from kholo.model import UsageError
from kholo.pipeline.cases import assessed
from kholo.pipeline.sets import judge_for
from kholo.record.law import Law, law_of, load_law
from kholo.store import Store

from . import output
from .options import as_of_option, case_store_option, fingerprints_option, json_option, moment_or_now


@click.command(epilog="\b\nExample:\n  kholo case test cases/x-pakistan-2024 --json\n")
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@case_store_option
@as_of_option
@click.option("--incident", help="Only the answers for this incident, by its id.")
@fingerprints_option
@json_option
def test(
    folder: Path,
    store: Path | None,
    as_of: datetime | None,
    incident: str | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Put the three-part test (ICCPR art. 19(3)) to CASE: every answer cites entries of the record."""
    opened = Store(store) if store else None
    found = assessed(folder, opened, judge_for(opened, fingerprints), moment_or_now(as_of))
    rows = [row for row in found.checklist if incident is None or row.incident_id == incident]
    if incident is not None and not rows:
        raise UsageError(f"{incident}: no incident of this case that has a checklist of its own; see: kholo incidents")
    shown = [{**msgspec.to_builtins(row), "simulated": found.case.simulated} for row in rows]
    if as_json:
        output.json_rows(shown)
        return
    if found.case.simulated:
        click.echo("SIMULATED: nothing of this happened\n")
    columns = {"part": "part", "ask": "question", "answer": "answer", "says": "says", "entries": "entries"}
    output.table(shown, {**columns, "incident_id": "incident"})


@click.command(epilog="\b\nExamples:\n  kholo case law PK\n  kholo case law --json\n")
@click.argument("place", required=False)
@json_option
def law(place: str | None, as_json: bool) -> None:
    """List the rights and provisions concerned in PLACE (such as PK), and the ids that a case names them by."""
    known = load_law()
    if place is not None and place not in known:
        there = ", ".join(filter(None, sorted(known)))
        raise UsageError(f"{place}: no law of this country is in the data; there is {there}")
    chosen = law_of(place) if place else tuple(known[name] for name in sorted(known))
    rows = [row for one in chosen for row in _rows(one)]
    if as_json:
        output.json_rows(rows)
    else:
        output.table(rows, {"statute": "id", "section": "section", "topic": "topic", "says": "says"})


def _rows(law_: Law) -> list[dict[str, object]]:
    return [
        {
            "place": law_.place,
            "statute": statute.id,
            "name": statute.name,
            "year": statute.year,
            "address": statute.address,
            **msgspec.to_builtins(provision),
        }
        for statute in law_.statute
        for provision in statute.provision
    ]
