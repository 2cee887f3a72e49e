"""`kholo simulate`: raw measurements of a fictional country, for trying things out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kholo.simulate import load_scenario, shipped_scenarios, write
from kholo.simulate import simulate as run

_EPILOG = """
\b
Examples:
  kholo simulate demo --out demo.jsonl.gz
  kholo simulate my-scenario.toml --seed 7 | kholo ingest - --store store
"""


@click.command(epilog=_EPILOG)
@click.argument("scenario", metavar="SCENARIO")
@click.option("--seed", type=int, help="Another seed than the scenario's: same seed, same bytes.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="A .jsonl or .jsonl.gz file. [default: print]"
)
def simulate(scenario: str, seed: int | None, out: Path | None) -> None:
    """Write simulated raw measurements in OONI's format.

    SCENARIO is a TOML file (docs/simulate.md) or the name of a shipped one. Every row says that it is simulated, and
    so does everything made of it.
    """
    shipped = shipped_scenarios()
    lines = run(load_scenario(shipped.get(scenario, Path(scenario))), seed)
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line)
    else:
        count = write(lines, out)
        click.echo(f"{count} simulated measurements: {out}")
