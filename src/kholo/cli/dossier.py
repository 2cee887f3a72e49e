"""`kholo dossier` and `kholo verify`: a case with all its evidence in one file, and whether such a file holds."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import click
import msgspec

from kholo.evidence import note
from kholo.evidence.checks import Check, Outcome
from kholo.evidence.opentimestamps import load_headers
from kholo.evidence.signers import Signers
from kholo.evidence.timestamp import load_roots
from kholo.evidence.witnesses import Trust, witnesses
from kholo.pipeline.dossier import Made, Wish, make
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verify import LIMITS, Verified
from kholo.pipeline.verify import verify as verified
from kholo.store import Store

from .log import reader_of, trusted_keys
from .options import (
    as_of_option,
    by_option,
    bytes_of,
    case_store_option,
    cpu_count,
    fingerprints_option,
    json_option,
    keeper_of,
    moment_or_now,
)
from .progress import Stages
from .seal import key_option, private_keys, roots_option

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
  kholo verify x-pakistan.zip --signers allowed-signers --log https://example.org/log --seen old-checkpoint
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
@key_option
@as_of_option
@fingerprints_option
@_workers_option
@by_option
@json_option
def dossier(
    folder: Path,
    store: Path | None,
    out: Path,
    places: tuple[Path, ...],
    key_files: tuple[Path, ...],
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    workers: int,
    by: str | None,
    as_json: bool,
) -> None:
    """Put CASE with all that its figures rest on into one sealed file that a stranger can check.

    Everything is computed anew from what goes in. The same case up to the same moment, by the same software and key,
    gives the same bytes.
    """
    opened = Store(store) if store else None
    log = keeper_of(opened, by)
    signers = private_keys(key_files)
    wish = Wish(folder, moment_or_now(as_of), places, workers)
    with Stages() as stages:
        made = make(wish, opened, judge_for(opened, fingerprints), out, signers, stages.tell)
    if log:
        log.sealed("dossier", out.name, made.digest, made.statement.case, {"root": made.statement.root})
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
@click.option(
    "--signers", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Whose keys are whose: a file of allowed signers, as ssh-keygen(1) has it.",
)  # fmt: skip
@roots_option
@click.option(
    "--bitcoin-headers", "headers", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Headers of Bitcoin's blocks, 80 bytes each, for proofs of OpenTimestamps.",
)  # fmt: skip
@click.option("--log", "place", metavar="FOLDER|ADDRESS", help="A log of dossiers to look it up in.")
@click.option(
    "--log-key", "log_keys", multiple=True, metavar="KEY|FILE",
    help="Public key of a log, known from elsewhere; else the one that lies beside the log is taken.",
)  # fmt: skip
@click.option(
    "--seen", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A checkpoint of the log that you kept: the log must go on from there.",
)  # fmt: skip
@_workers_option
@json_option
def verify(
    path: Path,
    no_rerun: bool,
    signers: Path | None,
    root_files: tuple[Path, ...],
    headers: Path | None,
    place: str | None,
    log_keys: tuple[str, ...],
    seen: Path | None,
    workers: int,
    as_json: bool,
) -> None:
    """Check the dossier FILE: its form, hashes, signatures and times; then compute every figure anew and compare.

    Needs no network, but for a log at an address.
    """
    with ExitStack() as stack:
        trust = Trust(
            signers=Signers.load(signers) if signers else None,
            roots=[root for file in root_files for root in load_roots(file)],
            blocks=load_headers(headers) if headers else (),
            log=stack.enter_context(reader_of(place)) if place else None,
            log_keys=trusted_keys(log_keys),
            seen=bytes_of(seen, note.MAX_NOTE) if seen else None,
        )
        stages = stack.enter_context(Stages())
        seals = partial(witnesses, trust=trust, now=moment_or_now(None))
        found = verified(path, seals, workers, stages.tell, rerun=not no_rerun)
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
    click.echo(f"\n{_conclusion(found)}")


def _conclusion(found: Verified) -> str:
    """The last line, for who reads no other."""
    if not found.holds:
        return "This dossier does NOT hold."
    if any(check.check == "measurements" for check in found.checks):
        return "This dossier holds. There is nothing measured in it: it rests on published findings and on the record."
    if any(check.check == "results" and check.outcome is Outcome.PASSED for check in found.checks):
        return "This dossier holds, and its figures follow from the measurements inside."
    return "Nothing in this dossier is wrong, but its figures were not all computed anew."


def _part(title: str, some: list[Check]) -> None:
    if some:
        click.echo(f"\n{title}")
    for check in some:
        click.echo(f"  - {check.check}: {check.says}")
        for line in check.details:
            click.echo(f"      {line}")
