"""`kholo demo`: the whole line, from raw measurements to pages, and what it found in plain words."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import click

from kholo.disk import file_digest
from kholo.model import EntryKind, Outcome
from kholo.pipeline.attach import Extra
from kholo.pipeline.cases import view
from kholo.pipeline.custody import Keeper
from kholo.pipeline.demo import demo_store
from kholo.pipeline.ingest import ingest
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import write_site
from kholo.publish import CaseView, answer
from kholo.simulate import load_scenario, shipped_scenarios, simulate, write

from .options import as_of_option, moment_or_now
from .site_options import with_font


@click.command(epilog="\b\nExample:\n  kholo demo cases/x-pakistan-2024 cases/zz-simulated --out build\n")
@click.argument("folders", metavar="CASE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for all it makes.")
@as_of_option
def demo(folders: tuple[Path, ...], out: Path, as_of: datetime | None) -> None:
    """Run everything on the shipped cases and a simulated country, build the site, and say what was found."""
    moment = moment_or_now(as_of)
    raw = out / "simulated.jsonl.gz"
    click.echo("1. Simulating a fictional country (ZZ), in the format of real measurements …")
    count = write(simulate(load_scenario(shipped_scenarios()["demo"])), raw)
    click.echo(f"   {count} simulated measurements: {raw}")
    click.echo("2. Ingesting and judging them like any others …")
    with demo_store(out / "store", file_digest(raw)) as store:
        summary = ingest(store, [raw], None, moment, note=Keeper(store, moment, None).ingested)
    click.echo(f"   {summary.new} new, {summary.known} known already, {summary.rejected} rejected: {out / 'store'}")
    click.echo("3. Setting what was measured against what was said and ordered …")
    judge = judge_for(store)
    views = [view(folder, store, judge, moment) for folder in folders]
    with tempfile.TemporaryDirectory() as work:
        write_site(views, store, judge, with_font(Extra()), out / "site", Path(work))
    for case in views:
        _say(case)
    click.echo(f"\nThe pages: {out / 'site' / 'index.html'}   (or: make serve)")
    seal = f"kholo dossier {folders[-1]} --store {out / 'store'} --out dossier.zip"
    click.echo(f"A case with all its evidence in one file that anybody can check: {seal}")


def _say(case: CaseView) -> None:
    click.echo(f"\n{case.case.title}")
    said = answer(case)
    for line in (said.sentence, *said.more):
        click.echo(f"   {line}")
    claims = [row for row in case.assessments if row.kind is not EntryKind.FINDING]
    for outcome in Outcome:
        many = sum(claim.outcome is outcome for claim in claims)
        click.echo(f"   {many} {'claim' if many == 1 else 'claims'} {outcome}")
    for clock in case.clocks:
        if clock.network is None:
            state = f"stopped {clock.stopped:%Y-%m-%d}" if clock.stopped else "still running"
            click.echo(f"   {clock.clock} clock of {clock.entry_id}: {clock.days} days, {state}")
