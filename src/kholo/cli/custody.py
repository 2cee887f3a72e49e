"""`kholo custody`: who did what to which bytes, as the store's log has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.model import UsageError
from kholo.store import Store
from kholo.store.custody import Custody, Entry

from . import output
from .options import json_option, store_option

_EPILOG = """
\b
Examples:
  kholo custody --store store
  kholo custody --store store --case x-pakistan-2024 --json
  kholo custody check --store store --head 5f2c…

Exit codes: 0 done; 1 the log was changed, and it is said from where on; 2 the command is wrong; 3 it can't be read.
"""
_COLUMNS = {
    "number": "number", "time": "time (UTC)", "action": "action", "case": "case", "names": "what", "counts": "counts",
    "by": "by",
}  # fmt: skip
#: Names and counts shown to a person; --json gives all.
_SHOWN = 5


@click.group(invoke_without_command=True, epilog=_EPILOG)
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KHOLO_STORE",
    help="Folder of the store. [env: KHOLO_STORE]",
)
@click.option("--case", "case", metavar="ID", help="Only what was done to this case or made of it.")
@json_option
@click.pass_context
def custody(context: click.Context, store: Path | None, case: str | None, as_json: bool) -> None:
    """Show the custody log of a store: each input, edit and output with its SHA-256, its time and who was named.

    Entries are only ever added, and each holds the digest of the one before it. (`kholo case log` is the chronology of
    a case.)
    """
    if context.invoked_subcommand:
        return
    if store is None:
        raise UsageError("missing: --store, the folder of the store")
    entries = (one for one in Custody(Store(store).root).entries() if case in (None, one.case))
    if as_json:
        output.json_rows(entries)
    elif not output.table((_shown(one) for one in entries), _COLUMNS):
        click.echo("nothing is in the log" + (" on this case" if case else ""))


@custody.command(epilog=_EPILOG)
@store_option
@click.option("--head", metavar="SHA256", help="The digest that was noted at an earlier check: it must be in the log.")
@json_option
def check(store: Path, head: str | None, as_json: bool) -> None:
    """Check that no line of the log was changed, taken out or put elsewhere, and give the digest of its last line.

    Note that digest outside of the store: with --head a later check finds that the end was cut off or changed, too.
    """
    log = Custody(Store(store).root)
    log.check(head.lower() if head else None)
    count, last = sum(1 for _ in log.entries()), log.head()
    if as_json:
        output.json_rows([{"entries": count, "head": last}])
    else:
        click.echo(f"{count} entries, the chain is whole" + (f"; the last line's SHA-256 is {last}" if last else ""))


def _shown(entry: Entry) -> dict[str, Any]:
    """An entry for a person."""
    names = [thing.name for thing in entry.what[:_SHOWN]]
    more = len(entry.what) - len(names)
    counts = [f"{name} {count}" for name, count in entry.counts.items() if count][:_SHOWN]
    return {
        **msgspec.structs.asdict(entry),
        "names": [*names, f"and {more} more"] if more else names,
        "counts": counts,
    }
