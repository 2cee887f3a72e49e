"""Options that several commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from kholo.disk import TooLarge, read
from kholo.model import EnvironmentFault, UsageError
from kholo.pipeline.custody import Keeper, editing
from kholo.pipeline.verdicts import Filter
from kholo.reference import load_services
from kholo.store import Store
from kholo.store.custody import Action

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
log_store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KHOLO_STORE",
    help="Folder of a store, whose custody log then tells of this. [env: KHOLO_STORE]",
)
fingerprints_option = click.option(
    "--fingerprints",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Further fingerprints of block pages: OONI's CSV or Censored Planet's JSON. May be given several times.",
)
by_option = click.option(
    "--by",
    envvar="KHOLO_BY",
    metavar="NAME",
    help="Who does this, for the custody log of the store: a name, or a key's fingerprint. [env: KHOLO_BY]",
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


def keeper_of(store: Store | None, by: str | None) -> Keeper | None:
    """Who writes into the custody log, where there is a store. Raises `EnvironmentFault` where it can't be written."""
    return Keeper(store, moment_or_now(None), by) if store else None


def keeper_at(folder: Path | None, by: str | None) -> Keeper | None:
    """As `keeper_of`, by the store's folder."""
    return keeper_of(Store(folder) if folder else None, by)


def logs_edits(action: Action) -> Callable[[F], F]:
    """Adds `--store` and `--by`: what the command changes in case folders goes into a store's custody log."""

    def logged(command: F) -> F:
        @functools.wraps(command)
        def run(store: Path | None, by: str | None, **given: Any) -> None:
            folders = given["folders"] if "folders" in given else (given["folder"],)
            with ExitStack() as stack:
                if log := keeper_at(store, by):
                    for folder in folders:
                        stack.enter_context(editing(log, action, folder))
                command(**given)

        return cast(F, log_store_option(by_option(run)))

    return logged


def filter_options(command: F) -> F:
    """Adds the options that narrow down what is shown; the command gets the `Filter` that they make as `chosen`."""

    @functools.wraps(command)
    def run(
        service: str | None,
        place: str | None,
        network: str | None,
        since: datetime | None,
        until: datetime | None,
        **given: Any,
    ) -> None:
        where = place.upper() if place else None, network.upper() if network else None
        command(chosen=Filter(service, *where, since=since, until=until), **given)

    narrowed = cast(F, run)
    for option in (
        click.option("--until", type=Moment(), help="Before this moment (UTC)."),
        click.option("--since", type=Moment(), help="From this moment on (UTC)."),
    ):
        narrowed = option(narrowed)
    return scope_options(narrowed)


def rows_options(command: F) -> F:
    """Adds how many rows a table shows, and the file that they go into instead of a table."""
    to_file = click.option(
        "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a .csv or .parquet file."
    )
    most = click.option(
        "--limit", type=click.IntRange(0), default=50, show_default=True, help="Rows of the table; 0 for all."
    )
    return most(to_file(command))


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


def bytes_of(path: Path, most: int) -> bytes:
    """What is in a small file that was given. Raises `UsageError` where it is larger, `EnvironmentFault`."""
    try:
        return read(path, most)
    except TooLarge as error:
        raise UsageError(f"{path}: {error.strerror}; is it the right file?") from error
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror}") from error


def cpu_count() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
