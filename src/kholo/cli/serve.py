"""`kholo serve`: the pages and the API, live."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click

from kholo.model import UsageError
from kholo.pipeline.attach import Extra
from kholo.serve import Options, Sources, alone, case_folders, refresh
from kholo.serve import serve as run

from .options import as_of_option, case_store_option, fingerprints_option, moment_or_now
from .site_options import site_options, with_looks

_EPILOG = """
\b
Examples:
  kholo serve --cases cases --store store              # then http://127.0.0.1:8000/ and /api/v1/
  kholo serve --store store --port 8080 --workers 2    # the API alone, on two cores
  kholo serve --store store --site site                # pages that `kholo build` wrote
  kholo serve --cases cases --host :: --behind-proxy   # behind nginx or Caddy: see docs/serving.md
  kholo serve --cases cases --store store --dossiers dossiers --log log --key kholo.pub
"""


@click.command(epilog=_EPILOG)
@case_store_option
@click.option(
    "--cases", multiple=True, type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A case folder, or a folder of them. May be given several times.",
)  # fmt: skip
@click.option(
    "--site", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Serve these pages; without it they are made from the cases, as kholo build makes them.",
)  # fmt: skip
@site_options
@as_of_option
@fingerprints_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on: this machine only.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8_000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option(
    "--rate", type=click.FloatRange(0, 1e6), default=20.0, show_default=True,
    help="Requests a second and client, with ten times that at once; 0: as many as come. Each worker counts by itself.",
)  # fmt: skip
@click.option(
    "--at-once", type=click.IntRange(0, 10_000), default=8, show_default=True,
    help="Requests of a client that are being answered at the same time; 0: any, and any number of connections.",
)  # fmt: skip
@click.option(
    "--every", type=click.FloatRange(0.1, 86_400), default=30.0, show_default=True,
    help="Seconds after which it looks for new parts of the store and changed cases.",
)  # fmt: skip
@click.option(
    "--behind-proxy", is_flag=True, help="Take the client's address from X-Forwarded-For. Only behind a proxy of yours."
)
def serve(
    store: Path | None,
    cases: tuple[Path, ...],
    site: Path | None,
    extra: Extra,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    host: str,
    port: int,
    workers: int,
    rate: float,
    at_once: int,
    every: float,
    behind_proxy: bool,
) -> None:
    """Serve pages and a read-only API (docs/api.md), and take in what is new while it runs.

    Verdicts are served from an index within the store (`served/`), which is made at the first start: some minutes for
    ten million. It can be deleted at any time. No address of a client is written anywhere.
    """
    if store is None and not cases and site is None:
        raise UsageError("nothing to serve: give --store, --cases or --site")
    if site is not None and extra != Extra(is_plain=extra.is_plain):
        raise UsageError("--site: its pages are made already; what they carry is given to kholo build")
    with ExitStack() as stack:
        folder = store / "served" if store else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        looks = with_looks(extra) if site is None else extra
        sources = Sources(folder, store, case_folders(cases), site is None, looks, as_of, fingerprints)
        stack.enter_context(alone(folder))
        refresh(sources, moment_or_now(None), _tell)
        run(sources, Options(host, port, workers, rate, at_once, every, behind_proxy, site), click.echo)


def _tell(done: int, of: int) -> None:
    click.echo(f"indexed: {done} of {of} parts", err=True)
