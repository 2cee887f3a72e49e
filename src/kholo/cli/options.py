"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from kholo.pipeline.verdicts import Filter
from kholo.reference import load_services

F = TypeVar("F", bound=Callable[..., Any])

store_option = click.option(
    "--store",
    "store",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KHOLO_STORE",
    required=True,
    help="Folder of the store. [env: KHOLO_STORE]",
)
case_store_option = click.option(
    "--store",
    "store",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KHOLO_STORE",
    help="Folder of the store; without it the case rests on published findings alone. [env: KHOLO_STORE]",
)
fingerprints_option = click.option(
    "--fingerprints",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Further fingerprints of block pages: OONI's CSV or Censored Planet's JSON. May be given several times.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")


class Moment(click.ParamType[datetime]):
    """A date or a time in UTC: 2024-02-17 or 2024-02-17T18:00."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """A datetime with time zone UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write 2024-02-17 or 2024-02-17T18:00 (UTC)", param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_of_option(command: F) -> F:
    """Adds `--as-of`, the moment up to which running clocks count."""
    return click.option("--as-of", type=Moment(), help="Count up to this moment (UTC); without it, up to now.")(command)


def moment_or_now(given: datetime | None) -> datetime:
    """The only places where the command line asks the clock are this one and `ingest`."""
    return given or datetime.now(UTC).replace(microsecond=0)


def filter_options(command: F) -> F:
    """Adds the options that narrow down what is shown; `wanted` makes a `Filter` of them."""
    for option in (
        click.option("--until", type=Moment(), help="Before this moment (UTC)."),
        click.option("--since", type=Moment(), help="From this moment on (UTC)."),
    ):
        command = option(command)
    return scope_options(command)


def scope_options(command: F) -> F:
    """Adds the options that narrow down by service, place and network."""
    for option in (
        click.option("--network", help="Only this network, such as AS17557."),
        click.option("--place", help="Only this country, ISO 3166 alpha-2, such as PK."),
        click.option("--service", type=click.Choice(_services()), help="Only this service.", metavar="SERVICE"),
    ):
        command = option(command)
    return command


def _services() -> list[str]:
    return sorted(load_services().ids)


def wanted(
    service: str | None,
    place: str | None,
    network: str | None,
    since: datetime | None,
    until: datetime | None,
    received: datetime | None = None,
) -> Filter:
    """A filter from the options of `filter_options`."""
    return Filter(
        service=service,
        place=place.upper() if place else None,
        network=network.upper() if network else None,
        since=since,
        until=until,
        received=received,
    )


def cpu_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
