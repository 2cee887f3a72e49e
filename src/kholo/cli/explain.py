"""`kholo explain ID`: why a measurement was judged as it was, what an incident rests on, what an entry says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from kholo.detect import meant
from kholo.judge import Judge
from kholo.judge.story import Story, tell
from kholo.model import Incident, UsageError, Vantage
from kholo.model.text import clean
from kholo.pipeline.cases import assessed
from kholo.pipeline.events import events
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verdicts import Filter, judged, report_networks, select, stored
from kholo.reference import load_test_lists
from kholo.store import Store

from . import output
from .entry import show_entry
from .incidents import of_name
from .options import as_of_option, case_store_option, fingerprints_option, json_option, moment_or_now

_EPILOG = """
\b
Examples:
  kholo explain 20240217183045.123456_PK_webconnectivity_0123456789abcdef --store store
  kholo explain x-PK-blocked-202402 --store store
  kholo explain f14 --case cases/x-pakistan-2024
"""
_DID = {
    Vantage.PROBE: "What the probe did",
    Vantage.REMOTE: "What was done from outside",
    Vantage.HOSTED: "What the hosted device did",
}
_ROWS = {
    "measured_at": "measured (UTC)",
    "network": "network",
    "state": "state",
    "mechanism": "mechanism",
    "rule_id": "rule",
    "measurement_uid": "measurement",
}


@click.command(epilog=_EPILOG)
@click.argument("identity", metavar="ID")
@click.option("--case", "folder", type=click.Path(path_type=Path), help="Case folder, where ID is an entry of it.")
@case_store_option
@as_of_option
@fingerprints_option
@json_option
def explain(
    identity: str,
    folder: Path | None,
    store: Path | None,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Tell the story behind ID: a measurement_uid, an incident_id with its rows, or with --case an entry's id."""
    if folder is None and store is None:
        raise UsageError("give --store for a measurement or an incident, --case for an entry of a case")
    opened = Store(store) if store else None
    judge = judge_for(opened, fingerprints)
    if folder is not None and show_entry(assessed(folder, opened, judge, moment_or_now(as_of)), identity, as_json):
        return
    if opened is None:
        raise UsageError(f"{clean(identity)}: no entry of this case; `kholo case check` and its pages list them")
    stories = _stories(opened, judge, identity)
    if stories:
        _show_stories(opened, judge, identity, stories, as_json)
        return
    found = events(opened, judge, Filter()).incidents
    if meant(found, identity):
        _show_incident(opened, judge, of_name(found, identity), as_json)
        return
    raise UsageError(
        f"{clean(identity)}: neither a measurement nor an incident of this store;"
        " `kholo verdicts` and `kholo incidents` list them"
    )


def _stories(store: Store, judge: Judge, uid: str) -> list[Story]:
    return [
        tell(judge, measurement, observations).story
        for part in store.part_ids()
        if (store.parts / part / "measurements.parquet").exists()
        for measurement, observations in stored(store, store.parts / part, uid)
    ]


def _show_stories(store: Store, judge: Judge, uid: str, stories: list[Story], as_json: bool) -> None:
    if as_json:
        output.json_rows(stories)
        return
    lists = load_test_lists(store.reference)
    for story in stories:
        day = story.verdict.measured_at.date()
        _show_story(story, [str(listed) for listed in lists.on(day).of(story.verdict.input or "")])
    networks = report_networks(store, uid)
    if len(networks) > 1:
        click.echo(
            f"\nThe report it is of holds measurements from {', '.join(networks)}: the person changed lines, or the id"
            " of the report is not what it says. Each measurement counts for its own network."
        )
    if len(stories) > 1:
        with judged(store, judge) as db:
            (counted,) = select(db, Filter(uid=uid))
        click.echo(f"\nThe archive holds this measurement {len(stories)} times; counted is: {counted['rule_id']}")


def _show_story(story: Story, listed: list[str]) -> None:
    verdict = story.verdict
    simulated = "SIMULATED. " if verdict.simulated else ""
    click.echo(f"{simulated}{verdict.measurement_uid}")
    click.echo(
        f"{verdict.test_name} of {clean(verdict.input or 'no address')}, {verdict.measured_at:%Y-%m-%d %H:%M:%S} UTC,"
        f" {verdict.network} in {verdict.place}"
    )
    for where in listed:
        click.echo(clean(f"The address is {where}", 240))
    _list(_DID[verdict.vantage], story.probe)
    _list("What the control saw", story.control)
    mechanism = f", {verdict.mechanism}" if verdict.mechanism else ""
    part = f", by the part «{story.part}»" if story.part else ""
    click.echo(f"\nVerdict: {verdict.state}{mechanism}{part} (rule {story.rule}, evidence {verdict.evidence})")
    click.echo(f"  {story.why}")
    _list("What to know of where and when it was measured", story.marks)
    _list("The facts it rests on", [f"{words} [{name}]" for name, words in story.facts])
    _list("Other rules that hold, had this one not", [f"{rule}: {state}" for rule, state in story.others])
    _list("What would change it", story.missing)
    if not verdict.simulated and not verdict.measurement_uid.startswith("kholo-"):
        click.echo(f"\nSee it at https://explorer.ooni.org/m/{verdict.measurement_uid}")
    click.echo(f"Ruleset {verdict.ruleset}, reference data {verdict.reference}")


def _list(heading: str, lines: list[str] | tuple[str, ...]) -> None:
    if lines:
        click.echo(f"\n{heading}:")
        for line in lines:
            click.echo(f"  - {clean(line, 240)}")


def _show_incident(store: Store, judge: Judge, incident: Incident, as_json: bool) -> None:
    end = incident.end.latest if incident.end else incident.last_seen
    chosen = Filter(
        service=incident.service, place=incident.place, since=incident.onset.earliest, vantage=Vantage.PROBE
    )
    with judged(store, judge) as db:
        rows = [row for row in select(db, chosen) if row["network"] in incident.networks and row["measured_at"] <= end]
    if as_json:
        output.json_rows([{"incident": msgspec.to_builtins(incident), "verdicts": rows}])
        return
    click.echo(f"{'SIMULATED. ' if incident.simulated else ''}{incident.incident_id}")
    click.echo(
        f"{incident.service} in {incident.place}: {incident.state} on {', '.join(incident.networks)},"
        f" {incident.reports} reports, {incident.results} results"
    )
    click.echo(
        f"  began between {incident.onset.earliest:%Y-%m-%d %H:%M} and {incident.onset.latest:%Y-%m-%d %H:%M} UTC"
    )
    if incident.end:
        click.echo(
            f"  ended between {incident.end.earliest:%Y-%m-%d %H:%M} and {incident.end.latest:%Y-%m-%d %H:%M} UTC"
        )
    else:
        click.echo(f"  no end was measured; last seen {incident.last_seen:%Y-%m-%d %H:%M} UTC")
    _list("What else was seen in these hours", incident.because)
    click.echo("\nThe rows behind it:")
    output.table(rows, _ROWS)
