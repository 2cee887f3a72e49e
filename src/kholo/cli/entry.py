"""An entry of a case with all that stands behind it: sources, links, assessment and clocks."""

from __future__ import annotations

import click
import msgspec

from kholo.model import Entry
from kholo.model.text import clean
from kholo.pipeline.cases import Assessed

from . import output

_LINKS = ("contradicts", "retracts", "stays", "appeals", "contempt_of", "answers")


def show_entry(found: Assessed, identity: str, as_json: bool) -> bool:
    """Show one entry; False where the case has none of this id."""
    entry = next((item for item in found.case.entries if item.id == identity), None)
    if entry is None:
        return False
    assessments = [item for item in found.assessments if item.entry_id == identity]
    clocks = [item for item in found.clocks if item.entry_id == identity]
    if as_json:
        row = {"entry": entry, "assessments": assessments, "clocks": clocks, "simulated": found.case.simulated}
        output.json_rows([msgspec.to_builtins(row)])
        return True
    click.echo(f"{'SIMULATED. ' if found.case.simulated else ''}{entry.id}: {clean(entry.title, 240)}")
    _show(entry, {actor.id: actor.name for actor in found.case.actors})
    for item in assessments:
        grade = f", grade {item.grade}" if item.grade else ""
        click.echo(f"\nAssessed: {item.outcome}{grade}\n  {clean(item.because, 1000)}")
        click.echo(f"  rests on: {', '.join(item.evidence) or 'nothing'}")
    for clock in clocks:
        state = f"stopped {clock.stopped:%Y-%m-%d}" if clock.stopped else "still running"
        where = f" on {clock.network}" if clock.network else ""
        click.echo(f"\nClock of {clock.clock}{where}: {clock.days} days from {clock.started:%Y-%m-%d}, {state}")
        click.echo(f"  {clean(clock.because, 1000)}")
    return True


def _show(entry: Entry, actors: dict[str, str]) -> None:
    day = str(entry.earliest) if entry.earliest == entry.latest else f"{entry.earliest} to {entry.latest}"
    click.echo(f"  {entry.kind} by {clean(actors.get(entry.actor, entry.actor), 240)}, {day}, in {entry.file}")
    click.echo(f"  {clean(entry.summary, 1000)}")
    if entry.notes:
        click.echo(f"  Note: {clean(entry.notes, 1000)}")
    for key in _LINKS:
        if names := getattr(entry, key):
            click.echo(f"  {key}: {', '.join(names)}")
    click.echo("\nSources:")
    for source in entry.sources:
        click.echo(clean(f"  - {source.publisher} {source.address}, read {source.read}", 500))
        if source.quote:
            click.echo(clean(f"    “{source.quote}”", 500))
