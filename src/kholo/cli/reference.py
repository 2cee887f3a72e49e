"""`kholo reference`: fingerprints, test lists and tables of networks, each in force from a day on."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import click

from kholo.fetch.web import Web
from kholo.model import UsageError
from kholo.model.text import clean
from kholo.pipeline.custody import Keeper
from kholo.pipeline.update import ORIGINS, update
from kholo.reference import KINDS, Kind, load_fingerprints
from kholo.reference.snapshots import Found, find, in_force
from kholo.store import Store

from . import output
from .fetch import timing
from .options import Moment, by_option, json_option, moment_or_now, store_option

_EPILOG = """
\b
Examples:
  kholo reference update --store store
  kholo reference update --store store --kind networks --from ip2asn-combined.tsv.gz
  kholo reference update --store store --kind networks --in-force-from 2018-05-01 \\
    --from https://publicdata.caida.org/…/routeviews-rv2-20180501-1200.pfx2as.gz
"""
_COLUMNS = {
    "kind": "kind", "digest": "digest", "in_force_from": "in force from", "in_force_until": "until",
    "fetched": "fetched (UTC)", "files": "files", "licence": "licence",
}  # fmt: skip


@click.group(epilog=f"{_EPILOG}  kholo reference show test-lists --store store\n")
def reference() -> None:
    """Keep reference data with their dates.

    What is in force on the day of a measurement decides; before the first snapshot of a kind, the first one. Without
    any snapshot the few fingerprints are used that are shipped (docs/reference.md).
    """


@reference.command("update", epilog=_EPILOG)
@store_option
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind. [default: all]")
@click.option(
    "--from", "origins", multiple=True, metavar="FILE_OR_URL", help="From there instead. May be given several times."
)
@click.option("--in-force-from", "begins", type=Moment(), help="The day from which it is in force. [default: today]")
@click.option("--licence", help="The terms of what --from names. [default: not known]")
@by_option
@json_option
def update_command(
    store: Path,
    kind: str | None,
    origins: tuple[str, ...],
    begins: datetime | None,
    licence: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Fetch reference data and keep them as a snapshot. What is in force already is not added again."""
    if (origins or licence) and not kind:
        raise UsageError(f"--from and --licence need --kind: {', '.join(KINDS)}")
    opened, now = Store(store, create=True), moment_or_now(None)
    log = Keeper(opened, now, by)
    web = Web(timing())
    try:
        for one in cast(tuple[Kind, ...], (kind,) if kind else KINDS):
            there = origins or ORIGINS[one].addresses
            terms = (licence or "not known") if origins else ORIGINS[one].licence
            snapshot, is_new = update(opened, one, there, web, (begins or now).date(), now, terms)
            if is_new:
                about = {"digest": snapshot.digest, "in_force_from": str(snapshot.in_force_from)}
                log.set_up("reference", one, about, {"files": len(snapshot.files)})
            if as_json:
                output.json_rows([{"kind": one, "digest": snapshot.digest, "is_new": is_new}])
            else:
                said = "new, in force from" if is_new else "nothing new: the same is in force from"
                click.echo(f"{one}: {snapshot.digest}, {said} {snapshot.in_force_from}")
    finally:
        web.close()


@reference.command("list", epilog="\b\nExample:\n  kholo reference list --store store --json\n")
@store_option
@json_option
def list_command(store: Path, as_json: bool) -> None:
    """List the snapshots of a store."""
    found = find(Store(store).reference)
    listed = [_row(one, found) for one in found]
    if as_json:
        output.json_rows(listed)
    elif not output.table(listed, _COLUMNS):
        click.echo("no snapshots: the shipped fingerprints are used; `kholo reference update` fetches more")


@reference.command("show", epilog="\b\nExample:\n  kholo reference show networks --store store --on 2024-02-17\n")
@click.argument("which", metavar="KIND|DIGEST")
@store_option
@click.option("--on", "day", type=Moment(), help="Of a kind, the snapshot in force on this day. [default: today]")
@json_option
def show_command(which: str, store: Path, day: datetime | None, as_json: bool) -> None:
    """Show one snapshot: where it is from, and what is in it.

    KIND is fingerprints, networks or test-lists; DIGEST is how the name of a snapshot begins.
    """
    found = find(Store(store).reference)
    chosen = _chosen(found, which, moment_or_now(day).date())
    row, content = _row(chosen, found), _content(chosen)
    if as_json:
        output.json_rows([row | {"content": content}])
        return
    until = f" until {row['in_force_until']}" if row["in_force_until"] else ""
    click.echo(f"{row['kind']} {row['digest']}, in force from {row['in_force_from']}{until}")
    click.echo(f"  fetched {row['fetched']:%Y-%m-%d %H:%M} UTC; licence: {clean(row['licence'])}")
    for address in row["addresses"]:
        click.echo(f"  from {clean(address)}")
    for file in chosen.snapshot.files[:10]:
        click.echo(f"  {file.name}, {file.size} bytes, SHA-256 {file.sha256}")
    if len(chosen.snapshot.files) > 10:
        click.echo(f"  … and {len(chosen.snapshot.files) - 10} more files")
    click.echo()
    for name, counts in content.items():
        more = ", ".join(f"{clean(part)} {count}" for part, count in counts.items())
        click.echo(f"{clean(name)}: {sum(counts.values())} ({more})")


def _row(one: Found, found: list[Found]) -> dict[str, Any]:
    """What is said of a snapshot. `in_force_until` is the day on which the next of its kind begins."""
    snapshot = one.snapshot
    later = [
        other.snapshot.in_force_from
        for other in found
        if other.snapshot.kind == snapshot.kind and other.snapshot.in_force_from > snapshot.in_force_from
    ]
    return {
        "kind": snapshot.kind,
        "digest": snapshot.digest,
        "in_force_from": snapshot.in_force_from,
        "in_force_until": min(later, default=None),
        "fetched": snapshot.fetched,
        "addresses": list(snapshot.addresses),
        "licence": snapshot.licence,
        "files": len(snapshot.files),
    }


def _chosen(found: list[Found], which: str, day: date) -> Found:
    if which in KINDS:
        chosen = in_force(found, which, day)
        if chosen is None:
            raise UsageError(
                f"this store has no snapshot of {which}; `kholo reference update --kind {which}` fetches one"
            )
        return chosen
    of_name = [one for one in found if one.snapshot.digest.startswith(which)]
    if len(of_name) != 1:
        there = ", ".join(one.snapshot.digest for one in found) or "none"
        raise UsageError(f"{clean(which)}: not one of {', '.join(KINDS)}, nor the beginning of one digest: {there}")
    return of_name[0]


def _content(one: Found) -> dict[str, dict[str, int]]:
    """What is in a snapshot, in numbers."""
    if one.snapshot.kind == "test-lists":
        return one.test_lists().counts()
    if one.snapshot.kind == "networks":
        tables = one.networks()
        return {"ranges of one network": tables.networks.counts(), "ranges of one country": tables.countries.counts()}
    counts: dict[str, Counter[str]] = {}
    for item in load_fingerprints(one.paths()).fingerprints:
        counts.setdefault(item.location, Counter())[item.scope] += 1
    return {location: dict(sorted(scopes.items())) for location, scopes in sorted(counts.items())}
