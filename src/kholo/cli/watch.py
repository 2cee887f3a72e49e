"""`kholo watch`: what is new about incidents, told once."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import duckdb
import msgspec

from kholo import alert
from kholo.model import IMPAIRED, EnvironmentFault, Incident, UsageError
from kholo.model.text import clean
from kholo.pipeline.events import events
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verdicts import Filter
from kholo.publish.language import ENGLISH
from kholo.store import Store

from . import output
from .fetch import refresh
from .options import (
    as_of_option,
    by_option,
    fingerprints_option,
    json_option,
    moment_or_now,
    scope_options,
    store_option,
)

_EPILOG = """
\b
Examples:
  kholo watch --store store
  kholo watch --store store --place PK --feed-dir site/alerts
  kholo watch --store store --mail-to desk@example.org --smtp localhost:25 --digest daily
  kholo watch --store store --webhook https://hooks.example.org/kholo --every 3600
  kholo watch --store store --fetch --feed-dir site/alerts

Exit codes: 0 done; 1 done, but a channel or a source failed (tried again at the next run); 2 the command is wrong;
3 the environment is. A mail server's user and password are read from KHOLO_SMTP_USER and KHOLO_SMTP_PASSWORD.
"""


@click.command(epilog=_EPILOG)
@store_option
@scope_options
@click.option("--feed-dir", type=click.Path(path_type=Path, file_okay=False), help="Write two feeds into this folder.")
@click.option("--feed-url", metavar="URL", help="Where that folder stands on the web, for the feeds' own links.")
@click.option("--mail-to", multiple=True, metavar="ADDR", help="Mail to this address. May be given several times.")
@click.option("--mail-from", metavar="ADDR", help="The sender. [default: the address written to]")
@click.option("--smtp", default="localhost:25", show_default=True, metavar="HOST:PORT", help="The mail server.")
@click.option("--webhook", multiple=True, metavar="URL", help="POST JSON there. May be given several times.")
@click.option("--digest", type=click.Choice(["daily", "weekly"]), help="One message a day or week with all its news.")
@click.option(
    "--max-alerts",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="More messages than this in one run become one with a list.",
)
@click.option("--fetch", "is_fetching", is_flag=True, help="First fetch what is new of all that the store follows.")
@click.option("--every", type=click.IntRange(1, 31 * 86_400), metavar="SECONDS", help="Look again and again.")
@click.option("--dry-run", is_flag=True, help="Show what would be told; tell nothing, remember nothing.")
@as_of_option
@fingerprints_option
@by_option
@json_option
def watch(
    store: Path,
    service: str | None,
    place: str | None,
    network: str | None,
    feed_dir: Path | None,
    feed_url: str | None,
    mail_to: tuple[str, ...],
    mail_from: str | None,
    smtp: str,
    webhook: tuple[str, ...],
    digest: str | None,
    max_alerts: int,
    is_fetching: bool,
    every: int | None,
    dry_run: bool,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    by: str | None,
    as_json: bool,
) -> None:
    """Tell what is new about incidents since it was last told.

    New is: an incident opened, spread to further networks, ended, goes on after its end was told, has other dates
    than were told, or is no longer found. Each thing is told once on each channel: feeds, mail, webhook, or the
    screen where none of them is given. A first look tells what still lasts or began in the last 30 days. Looks once;
    with --every again and again until SIGTERM (docs/watch.md).
    """
    if every and (as_of or dry_run):
        raise UsageError("--every can't be used with --as-of or --dry-run")
    if is_fetching and (as_of or dry_run):
        raise UsageError("--fetch can't be used with --as-of or --dry-run")
    scope = alert.Scope(service, place.upper() if place else None, network.upper() if network else None)
    channels: list[alert.Channel] = [alert.Feed(feed_dir, scope.words, feed_url)] if feed_dir else []
    if mail_to:
        at = alert.server(smtp, os.environ.get("KHOLO_SMTP_USER"), os.environ.get("KHOLO_SMTP_PASSWORD"))
        channels += [alert.Mail(to, mail_from or to, at) for to in dict.fromkeys(mail_to)]
    channels += [alert.Webhook(address) for address in dict.fromkeys(webhook)]
    view = _View(as_json)
    look = _Look(
        Store(store), scope, channels or [alert.Screen(view.say)], alert.Limits(digest, max_alerts), fingerprints,
        is_fetching, by,
    )  # fmt: skip
    if dry_run:
        view.would(look.try_out(moment_or_now(as_of), as_of))
        return
    stop = alert.Stop()
    try:
        with stop.on_signals():
            if every:
                alert.repeat(lambda at: look.once(at, stop, view), every, lambda: moment_or_now(None), stop)
            else:
                code = view.told(look.run(moment_or_now(as_of), as_of, stop))
                sys.exit(code if look.is_whole else code or 1)
    except alert.Stopped:
        if not every:
            raise click.Abort from None


class _Look:
    """Looks at the store and tells the channels, whenever it is asked to."""

    def __init__(
        self,
        store: Store,
        scope: alert.Scope,
        channels: list[alert.Channel],
        limits: alert.Limits,
        fingerprints: tuple[Path, ...],
        is_fetching: bool,
        by: str | None,
    ) -> None:
        self._store, self._channels, self._limits = store, channels, limits
        self._is_fetching, self._by = is_fetching, by
        self.is_whole = True
        self._chosen = Filter(scope.service, scope.place, scope.network)
        self._fingerprints = fingerprints
        self._folder = store.root / "told" / scope.folder

    def run(self, at: datetime, as_of: datetime | None, stop: alert.Stop) -> list[alert.Outcome]:
        """Tell what is new. With `as_of` only what had been received by then counts."""
        self._check(as_of)
        if self._is_fetching:
            self.is_whole = refresh(self._store, at, lambda text: click.echo(f"kholo: {text}", err=True), self._by)
        return alert.tell(
            self._folder, self._channels, self._found(as_of), at, self._limits, alert.Teller(stop.wait, stop.held)
        )

    def try_out(self, at: datetime, as_of: datetime | None) -> list[alert.Outcome]:
        """What `run` would tell."""
        self._check(as_of)
        return alert.would_tell(self._folder, self._channels, self._found(as_of), at, self._limits)

    def _found(self, as_of: datetime | None) -> list[Incident]:
        """The incidents that accuse: where it turns out that the service or the network was down, it is withdrawn."""
        # Between two looks the store may have got other reference data.
        judge = judge_for(self._store, self._fingerprints)
        chosen = msgspec.structs.replace(self._chosen, received=as_of)
        found = events(self._store, judge, chosen).incidents
        return [incident for incident in found if incident.state in IMPAIRED]

    def once(self, at: datetime, stop: alert.Stop, view: _View) -> None:
        """One look of many: what is wrong with the environment may be right at the next one."""
        try:
            view.told(self.run(at, None, stop))
        except (EnvironmentFault, OSError, duckdb.Error) as error:
            click.echo(f"kholo: {clean(' '.join(str(error).split()))}; looks again later", err=True)

    def _check(self, as_of: datetime | None) -> None:
        last = alert.last_look(self._folder, self._channels)
        if as_of and last and as_of < last:
            raise UsageError(
                f"--as-of: what was known later, {ENGLISH.moment(last)}, was told already and can't be untold"
            )


class _View:
    """What the person at the prompt sees."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def say(self, news: alert.News) -> None:
        """One news on the screen, the channel."""
        self._show(alert.row(news, {"screen": "sent"}))
        sys.stdout.flush()

    def told(self, outcomes: list[alert.Outcome]) -> int:
        """What a run did; gives its exit code. What the screen was told stands there already."""
        for row in alert.rows([outcome for outcome in outcomes if outcome.channel != "screen"]):
            if self._as_json or "sent" in row["channels"].values():
                self._show(row)
        for outcome in outcomes:
            if outcome.failure:
                click.echo(f"kholo: {alert.line(outcome)}", err=True)
            elif not self._as_json and self._is_worth_a_line(outcome):
                click.echo(alert.line(outcome))
        return alert.exit_code(outcomes)

    def would(self, outcomes: list[alert.Outcome]) -> None:
        """What a run would tell."""
        for row in alert.rows(outcomes):
            self._show(row)
        if not self._as_json:
            for outcome in outcomes:
                click.echo(f"{outcome.channel}: would be sent {len(outcome.unsent)}, kept {len(outcome.waiting)}")

    def _show(self, row: dict[str, Any]) -> None:
        if self._as_json:
            output.json_rows([row])
        else:
            click.echo(row["text"])

    @staticmethod
    def _is_worth_a_line(outcome: alert.Outcome) -> bool:
        """Where nothing is new a person is told so; a log, and cron, stay empty."""
        return sys.stdout.isatty() if not outcome.sent else outcome.channel != "screen"
