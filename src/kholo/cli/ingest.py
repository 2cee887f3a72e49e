"""`kholo ingest`: archives into a store."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import msgspec
from tqdm import tqdm

from kholo.model import UsageError
from kholo.pipeline.ingest import Summary, default_workers
from kholo.pipeline.ingest import ingest as run
from kholo.sources.archives import find
from kholo.store import Store

from .options import cpu_count, fingerprints_option, json_option, moment_or_now, store_option

_EPILOG = """
\b
Examples:
  kholo ingest 2024021700_PK_webconnectivity.n0.0.jsonl.gz --store store
  kholo ingest raw/ more/*.tar.gz --store store --workers 2
  zcat dump.jsonl.gz | kholo ingest - --store store
"""
_LOG_EVERY = 10.0


@click.command(epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@store_option
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that decode and judge. [default: one a core]")
@fingerprints_option
@json_option
def ingest(
    paths: tuple[Path, ...], store: Path, workers: int | None, fingerprints: tuple[Path, ...], as_json: bool
) -> None:
    """Take measurements into a store.

    PATHS are OONI's raw measurements (.json, .jsonl, .jsonl.gz, .tar.gz of posts), its per-measurement results
    (analysis rows, the API's measurement listing), folders of them, or - for standard input. Running it again over
    the same or overlapping input changes nothing. What can't be read is kept in the rejects (`kholo rejects`), and
    the rest goes on.
    """
    files = [path for path in paths if str(path) != "-"]
    total = sum(path.stat().st_size for path in find(files))
    progress = _Progress(total if len(files) == len(paths) else 0)
    summary = run(
        Store(store, create=True),
        files,
        sys.stdin.buffer if len(files) < len(paths) else None,
        moment_or_now(None),
        workers or default_workers(cpu_count()),
        progress.tell,
        fingerprints,
    )
    progress.close()
    if summary.files == 0:
        raise UsageError("nothing to read: the folder has no files")
    if as_json:
        click.echo(msgspec.json.encode(summary))
    else:
        _say(summary, store)
    if summary.rejected or summary.conflicts:
        sys.exit(1)


def _say(summary: Summary, store: Path) -> None:
    click.echo(
        f"{summary.files} files, {summary.read} measurements: {summary.new} new, {summary.known} known already,"
        f" {summary.rejected} rejected"
    )
    for reason, count in sorted(summary.reasons.items()):
        click.echo(f"  rejected {count}: {reason}")
    if summary.conflicts:
        click.echo(f"  {summary.conflicts} ids stand for two different contents; neither is counted")
    if summary.rejected:
        click.echo(f"`kholo rejects --store {store}` says which, where and why")


class _Progress:
    """A bar with rate and time left on a terminal, plain lines in a log."""

    def __init__(self, total: int) -> None:
        self._terminal = sys.stderr.isatty()
        self._total = total
        self._bar = tqdm(
            total=total or None, unit="B", unit_scale=True, unit_divisor=1024, disable=not self._terminal, leave=False
        )
        self._started = self._said = time.monotonic()

    def tell(self, items: int, done: int) -> None:
        """Called by the ingest with the items and bytes done so far."""
        if self._terminal:
            self._bar.set_postfix_str(f"{items} items", refresh=False)
            self._bar.update(done - self._bar.n)
        elif (now := time.monotonic()) - self._said >= _LOG_EVERY:
            self._said = now
            rate = done / max(now - self._started, 1e-9)
            left = f", {(self._total - done) / rate:.0f} s left" if self._total and rate else ""
            click.echo(f"{items} items, {done >> 20} MiB, {rate / (1 << 20):.1f} MiB/s{left}", err=True)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
