"""`kholo mirror`: a signed copy of a site for other hosts, and whether such a copy is the one that was signed."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from kholo.evidence.checks import Outcome
from kholo.evidence.copies import Bundle, Folder, Host
from kholo.evidence.mirrored import Place, check, statement
from kholo.evidence.signers import Signers
from kholo.fetch.web import Web
from kholo.model import DossierError, EnvironmentFault, UsageError
from kholo.pipeline.mirror import make as make_bundle
from kholo.publish.safe import web_address

from .fetch import timing
from .options import json_option, moment_or_now
from .seal import key_option, private_keys

_EPILOG = """
\b
Examples:
  kholo mirror site --out mirror.zip --key ~/.ssh/kholo
  unzip -q mirror.zip -d public                             # a copy to put on a host
  kholo mirror check mirror.zip --signers allowed-signers
  kholo mirror check public
  kholo mirror check https://mirror.example.org/kholo --signers allowed-signers --all

Exit codes of check: 0 all that was checked holds; 1 something does not; 2 the command is wrong; 3 the environment is.
"""


class _Mirror(click.Group):
    """`kholo mirror SITE` is `kholo mirror make SITE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Mirror, epilog=_EPILOG)
def mirror() -> None:
    """A signed copy of a site that others host and readers check. `docs/mirrors.md`.

    `kholo mirror SITE --out FILE --key KEY` makes one.
    """


@mirror.command(epilog=_EPILOG)
@click.argument("site", metavar="SITE", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write (.zip).")
@key_option
@json_option
def make(site: Path, out: Path, key_files: tuple[Path, ...], as_json: bool) -> None:
    """Make a signed bundle of the SITE that `kholo build` wrote. The same site and keys give the same bytes."""
    made = make_bundle(site, out, private_keys(key_files))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(made) + b"\n")
        return
    said = made.statement
    if said.simulated != "no":
        click.echo(f"SIMULATED: {'all' if said.simulated == 'yes' else 'a part'} of it never happened")
    click.echo(f"{out}: {said.files} files, {made.size:,} bytes, made at {said.made_at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"  root {said.root}\n  file {made.sha256}")
    for key in said.keys:
        click.echo(f"  signed by the key {key}")
    if made.left_out:
        click.echo(f"  left out: {made.left_out} files in {site} that kholo build did not write")
    click.echo(f"Check it: kholo mirror check {out}")


@mirror.command("check", epilog=_EPILOG)
@click.argument("place", metavar="FILE|FOLDER|ADDRESS")
@click.option(
    "--signers", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Whose keys are whose: a file of allowed signers, as ssh-keygen(1) has it.",
)  # fmt: skip
@click.option(
    "--sample", type=click.IntRange(1), default=50, show_default=True,
    help="Of a copy on the web, look at so many files, chosen by chance.",
)  # fmt: skip
@click.option("--all", "is_all", is_flag=True, help="Look at every file, also on the web.")
@json_option
def check_command(place: str, signers: Path | None, sample: int, is_all: bool, as_json: bool) -> None:
    """Check a mirror: a bundle, a folder that one was unpacked into, or the address of a copy on the web."""
    known = Signers.load(signers) if signers else None

    def pick(names: Sequence[str]) -> Sequence[str]:
        if is_all or not _is_address(place) or len(names) <= sample:
            return names
        return sorted(secrets.SystemRandom().sample(names, sample))

    with _opened(place) as copy:
        found = list(check(copy, known, moment_or_now(None), pick))
        if as_json:
            for one in found:
                sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
        else:
            _tell(copy)
            for one in found:
                word = {Outcome.PASSED: "right", Outcome.FAILED: "WRONG", Outcome.NOT_CHECKED: "open "}[one.outcome]
                click.echo(f"  {word}  {one.says}")
                for line in one.details:
                    click.echo(f"           {line}")
    is_wrong = any(one.outcome is Outcome.FAILED for one in found)
    if not as_json:
        click.echo("This copy is NOT the site that was signed." if is_wrong else "Nothing in this copy is wrong.")
    sys.exit(1 if is_wrong else 0)


def _tell(copy: Place) -> None:
    try:
        said = statement(copy)
    except DossierError:
        return
    click.echo(f"{copy.where}: copy of {said.site or 'a site without an address'}, as of "
               f"{said.made_at:%Y-%m-%d %H:%M} UTC, simulated: {said.simulated}")  # fmt: skip


def _is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


@contextmanager
def _opened(place: str) -> Iterator[Place]:
    """Raises `UsageError`, `DossierError`, `EnvironmentFault`."""
    path = Path(place)
    if _is_address(place):
        if web_address(place) is None or "?" in place or "#" in place:
            raise UsageError("that is no address of a mirror, such as https://mirror.example.org/kholo")
        web = Web(timing())
        try:
            yield Host(web, place)
        finally:
            web.close()
    elif path.is_dir():
        yield Folder(path)
    else:
        try:
            with path.open("rb") as stream:
                yield Bundle(path, stream)
        except FileNotFoundError:
            raise UsageError(f"{path}: there is no such file or folder") from None
        except OSError as error:
            raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error
