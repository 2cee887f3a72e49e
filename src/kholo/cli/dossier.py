"""`kholo dossier` and `kholo verify`: a case with all its evidence in one file, and whether such a file holds."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click
import msgspec

from kholo.evidence.checks import Check, Outcome
from kholo.pipeline.dossier import Made, Wish, make
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verify import LIMITS, Verified
from kholo.pipeline.verify import verify as verified
from kholo.store import Store

from .options import as_of_option, case_store_option, cpu_count, fingerprints_option, json_option, moment_or_now
from .progress import Stages

_EPILOG = """
\b
Examples:
  kholo dossier cases/x-pakistan-2024 --store store --out x-pakistan.zip
  kholo dossier cases/x-pakistan-2024 --store store --out x-pakistan.zip --key me.key --as-of 2025-05-07
  kholo dossier cases/x-pakistan-2024 --store store --out x-pakistan.zip --raw /media/disk/measurements
"""
_VERIFY_EPILOG = """
\b
Examples:
  kholo verify x-pakistan.zip
  kholo verify x-pakistan.zip --no-rerun --json

Exit codes: 0 all that was checked holds; 1 something does not; 2 the command is wrong; 3 the environment is.
"""
_workers_option = click.option(
    "--workers", type=click.IntRange(1, 64), default=cpu_count, show_default="one a core", help="Processes that work."
)


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@case_store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write (.zip).")
@click.option(
    "--raw", "places", multiple=True, type=click.Path(path_type=Path, exists=True),
    help="Where raw files are now that were ingested from elsewhere. May be given several times.",
)  # fmt: skip
@as_of_option
@fingerprints_option
@_workers_option
@json_option
def dossier(
    folder: Path,
    store: Path | None,
    out: Path,
    places: tuple[Path, ...],
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    workers: int,
    as_json: bool,
) -> None:
    """Put CASE with all that its figures rest on into one sealed file that a stranger can check.

    Everything is computed anew from what goes in. The same case up to the same moment, by the same software and key,
    gives the same bytes.
    """
    opened = Store(store) if store else None
    wish = Wish(folder, moment_or_now(as_of), places, workers)
    with Stages() as stages:
        made = make(wish, opened, judge_for(opened, fingerprints), out, (), stages.tell)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")
        return
    _say(out, made)


def _say(out: Path, made: Made) -> None:
    said = made.statement
    if said.simulated:
        click.echo("SIMULATED: nothing of this happened")
    click.echo(f"{out}: {made.files} files, {made.size:,} bytes, {made.measurements} raw items")
    click.echo(f"  case {said.case} as of {said.as_of:%Y-%m-%d %H:%M} UTC")
    click.echo(f"  root {said.root}\n  file {made.digest}")
    for key in made.signed_by:
        click.echo(f"  signed by {key}")
    if not made.signed_by:
        click.echo("  signed by nobody yet: kholo sign, or --key")
    for line in made.not_inside:
        click.echo(f"  not inside: {line}")
    click.echo(f"Check it: kholo verify {out}")


@click.command(epilog=_VERIFY_EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-rerun", is_flag=True, help="Check form, hashes, signatures and times only; compute nothing anew.")
@_workers_option
@json_option
def verify(path: Path, no_rerun: bool, workers: int, as_json: bool) -> None:
    """Check the dossier FILE: its form, hashes, signatures and times; then compute every figure anew and compare."""
    with Stages() as stages:
        found = verified(path, lambda _dossier: iter(()), workers, stages.tell, rerun=not no_rerun)
    if as_json:
        for check in found.checks:
            sys.stdout.buffer.write(msgspec.json.encode(check) + b"\n")
    else:
        _tell(path, found)
    sys.exit(0 if found.holds else 1)


def _tell(path: Path, found: Verified) -> None:
    said = found.statement
    if said is not None:
        notice = "SIMULATED: nothing of this happened\n" if said.simulated else ""
        click.echo(f"{notice}{path}: dossier of the case {said.case} as of {said.as_of:%Y-%m-%d %H:%M} UTC")
    _part("Wrong", found.of(Outcome.FAILED))
    _part("Established", found.of(Outcome.PASSED))
    _part("Not established", found.of(Outcome.NOT_CHECKED))
    for line in LIMITS if found.holds else ():
        click.echo(f"  - {line}")
    click.echo("\nThis dossier holds." if found.holds else "\nThis dossier does NOT hold.")


def _part(title: str, some: list[Check]) -> None:
    if some:
        click.echo(f"\n{title}")
    for check in some:
        click.echo(f"  - {check.check}: {check.says}")
        for line in check.details:
            click.echo(f"      {line}")
