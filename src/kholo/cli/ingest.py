"""`kholo ingest`: archives into a store."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from kholo.model import UsageError
from kholo.pipeline.custody import Keeper
from kholo.pipeline.filling import Summary
from kholo.pipeline.ingest import default_workers
from kholo.pipeline.ingest import ingest as run
from kholo.sources.archives import find
from kholo.store import Store

from .options import by_option, cpu_count, fingerprints_option, json_option, moment_or_now, store_option
from .progress import Transfer

_EPILOG = """
\b
Examples:
  kholo ingest 2024021700_PK_webconnectivity.n0.0.jsonl.gz --store store
  kholo ingest raw/ more/*.tar.gz --store store --workers 2
  zcat dump.jsonl.gz | kholo ingest - --store store
"""


@click.command(epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@store_option
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that decode and judge. [default: one a core]")
@fingerprints_option
@by_option
@json_option
def ingest(
    paths: tuple[Path, ...],
    store: Path,
    workers: int | None,
    fingerprints: tuple[Path, ...],
    by: str | None,
    as_json: bool,
) -> None:
    """Take measurements into a store.

    PATHS are files of the sources (`kholo sources`): OONI's raw measurements (.json, .jsonl, .jsonl.gz, .tar.gz of
    posts) and per-measurement results among them; folders of such files, or - for standard input. Running it again over
    the same or overlapping input changes nothing. What can't be read is kept in the rejects (`kholo rejects`), and
    the rest goes on.
    """
    files = [path for path in paths if str(path) != "-"]
    total = sum(path.stat().st_size for path in find(files))
    opened, now = Store(store, create=True), moment_or_now(None)
    log = Keeper(opened, now, by)
    with Transfer(total if len(files) == len(paths) else 0) as progress:
        summary = run(
            opened,
            files,
            sys.stdin.buffer if len(files) < len(paths) else None,
            now,
            workers or default_workers(cpu_count()),
            lambda items, done: progress.tell(done, items),
            fingerprints,
            log.ingested,
        )
    if summary.files == 0:
        raise UsageError("nothing to read: the folder has no files")
    if as_json:
        click.echo(msgspec.json.encode(summary))
    else:
        say_ingested(summary, store)
    if summary.rejected or summary.conflicts:
        sys.exit(1)


def say_ingested(summary: Summary, store: Path) -> None:
    """What an ingest did, for a person."""
    click.echo(
        f"{summary.files} files, {summary.read} measurements: {summary.new} new, {summary.known} known already,"
        f" {summary.rejected} rejected"
    )
    if summary.signals:
        click.echo(f"  {summary.signals} statements about whole lines: {summary.new_signals} new")
    if summary.aside:
        click.echo(f"  {summary.aside} rows that only say something of others")
    for reason, count in sorted(summary.reasons.items()):
        click.echo(f"  rejected {count}: {reason}")
    if summary.conflicts:
        click.echo(f"  {summary.conflicts} ids stand for two different contents; neither is counted")
    if summary.rejected:
        click.echo(f"`kholo rejects --store {store}` says which, where and why")
