"""`kholo fetch`: measurements and signals from where they are published, into a store."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from kholo.fetch.plan import Fetch, Plan, Wanted
from kholo.fetch.wait import Timing
from kholo.fetch.web import Token, Web
from kholo.model import EnvironmentFault, NetworkFault, StoreError, UsageError
from kholo.pipeline import fetch as run
from kholo.pipeline.custody import Keeper
from kholo.pipeline.follow import Followed, followed, keep
from kholo.pipeline.ingest import default_workers
from kholo.reference import load_services
from kholo.reference.places import names
from kholo.sources.registry import sources
from kholo.sources.source import Source
from kholo.store import Store

from .ingest import say_ingested
from .options import Moment, by_option, cpu_count, fingerprints_option, json_option, moment_or_now, store_option
from .progress import Steps, Transfer

#: Bytes above which a person is asked first.
MUCH = 1 << 30
#: Bytes a second that are supposed for the estimate of the time.
_RATE = 4 << 20
_NETWORK = re.compile(r"AS[1-9][0-9]{0,9}")


@click.group()
def fetch() -> None:
    """Get measurements and signals from where they are published.

    Says first how much it is and how long it takes, and asks where it is more than 1 GiB. What was fetched once is not
    fetched again, so after a break the same command goes on. `kholo sources` lists what there is.
    """


def command(source: Source, way: Fetch) -> click.Command:
    """The command that fetches one source."""
    own = [
        click.Option(
            [f"--{option.name.replace('_', '-')}", f"option_{option.name}"],
            type=click.Choice(option.choices) if option.choices else str,
            default=option.default,
            show_default=bool(option.default),
            help=option.help,
        )
        for option in way.options
    ]
    token = f"\n\nNeeds a token in {way.token}; it is neither stored nor shown." if way.token else ""

    @click.command(source.id, params=[*_COMMON, *own], help=f"{source.what}{token}\n\nTerms: {source.terms}.")
    @store_option
    @fingerprints_option
    @by_option
    @json_option
    def fetch_one(store: Path, as_json: bool, **given: Any) -> None:
        asked = _asked(source, given, moment_or_now(None))
        _run(source, way, Store(store, create=True), asked, given, as_json)

    fetch_one.epilog = f"\b\nExample:\n  {way.example}\n" if way.example else None
    return fetch_one


_COMMON = (
    click.Option(["--cc", "place"], required=True, metavar="CC", help="Country, ISO 3166 alpha-2, such as PK."),
    click.Option(["--service"], metavar="SERVICE", help="Only what measures this service, such as x."),
    click.Option(["--network", "networks"], multiple=True, metavar="AS", help="Only this network. May be several."),
    click.Option(["--since"], type=Moment(), required=True, help="From this day on (UTC)."),
    click.Option(["--until"], type=Moment(), help="Up to this day, inclusive (UTC). [default: now]"),
    click.Option(["--dry-run"], is_flag=True, help="Say what would be fetched; fetch nothing."),
    click.Option(["--yes"], is_flag=True, help="Do not ask, however much it is."),
    click.Option(["--no-keep"], is_flag=True, help="Remove each object once the store has what is in it."),
    click.Option(["--follow"], is_flag=True, help="`kholo watch --fetch` goes on with this from now on."),
    click.Option(["--connections"], type=click.IntRange(1, 8), default=4, show_default=True, help="At most."),
    click.Option(["--workers"], type=click.IntRange(1, 64), help="Processes that judge. [default: one a core]"),
    click.Option(
        ["--endpoint", "endpoints"], multiple=True, metavar="[NAME=]URL", help="A mirror in the place of an address."
    ),
)


def _asked(source: Source, given: dict[str, Any], now: datetime) -> Followed:
    """What a person typed, checked. Raises `UsageError` with what would be right."""
    since, until = given["since"], given["until"]
    if since > now:
        raise UsageError(f"--since {since:%Y-%m-%d} lies in the future; today is {now:%Y-%m-%d} (UTC)")
    if until is not None and until < since:
        raise UsageError(f"--until {until:%Y-%m-%d} lies before --since {since:%Y-%m-%d}")
    for network in given["networks"]:
        if not _NETWORK.fullmatch(network.upper()):
            raise UsageError(f"--network {network!r}: AS and a number was expected, such as AS17557")
    return Followed(
        source.id,
        _place(given["place"]),
        since,
        _service(given["service"]),
        tuple(network.upper() for network in given["networks"]),
        {name.removeprefix("option_"): value for name, value in given.items() if name.startswith("option_")},
        _endpoints(source, given["endpoints"]),
    )


def _place(text: str) -> str:
    known = names()
    code = text.upper()
    if code in known and re.fullmatch(r"[A-Z]{2}", code):
        return code
    by_name = {name.removeprefix("the ").lower(): code for code, name in known.items()}
    near = get_close_matches(text.lower(), [*by_name, *(code.lower() for code in known)], 1, 0.5)
    hint = f"; is it {by_name.get(near[0], near[0].upper())}?" if near else ""
    raise UsageError(f"--cc {text!r} is no country's code (ISO 3166 alpha-2, such as PK){hint}")


def _service(text: str | None) -> str:
    known = load_services().ids
    if not text or text in known:
        return text or ""
    near = get_close_matches(text.lower(), known, 1, 0.5)
    hint = f"is it {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    raise UsageError(f"--service {text!r} is not in the registry; {hint}")


def _endpoints(source: Source, given: tuple[str, ...]) -> dict[str, str]:
    way = source.fetch
    names_ = list(way.endpoints) if way else []
    made: dict[str, str] = {}
    for text in given:
        name, equals, address = text.partition("=")
        if not equals or name not in names_:
            name, address = names_[0], text
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise UsageError(f"--endpoint {text!r}: [NAME=]https://… was expected; NAME is one of {', '.join(names_)}")
        made[name] = address
    return made


def wanted(asked: Followed, until: datetime, now: datetime) -> Wanted:
    """What a plan is made for."""
    service = next((one for one in load_services().services if one.id == asked.service), None)
    return Wanted(
        place=asked.place,
        since=asked.begin,
        until=until,
        now=now,
        service=asked.service,
        hosts=(*service.all_of, *service.any_of, *service.hosts) if service else (),
        tests=("web_connectivity", *service.tests) if service else (),
        networks=asked.networks,
        options=asked.options,
    )


def web_of(way: Fetch, endpoints: Mapping[str, str], connections: int) -> Web:
    """The network, with this machine's clock and chance. Raises `EnvironmentFault` where a token is missing."""
    token = None
    if way.token:
        secret = os.environ.get(way.token, "").strip()
        if not secret:
            raise EnvironmentFault(f"a token is needed: set {way.token} in the environment, it is not stored")
        hosts = frozenset(urlsplit(address).hostname or "" for address in endpoints.values())
        token = Token(secret, hosts, way.token)
    return Web(timing(), connections=connections, token=token)


def timing() -> Timing:
    """This machine's clock and chance."""
    return Timing(time.sleep, time.monotonic, random.SystemRandom().random)


def _run(source: Source, way: Fetch, store: Store, asked: Followed, given: dict[str, Any], as_json: bool) -> None:
    now = moment_or_now(None)
    until = given["until"] + timedelta(days=1) if given["until"] else now
    endpoints = {**way.endpoints, **asked.endpoints}
    web = web_of(way, endpoints, given["connections"])
    try:
        with Steps("steps of planning") as steps:
            plan = way.plan(wanted(asked, until, now), endpoints, web, steps.tell)
        todo = run.due(store, source.id, plan)
        _estimate(source, plan, todo, as_json)
        if given["dry_run"]:
            return
        run.room(store, todo.size)
        _agree(todo.size, given["yes"])
        log = Keeper(store, now, given["by"])
        with Transfer(todo.size) as bar:
            done = run.fetch(
                store, source.id, plan, web, now, given["workers"] or default_workers(cpu_count()), bar.tell,
                not given["no_keep"], given["fingerprints"], log.fetched,
            )  # fmt: skip
    finally:
        web.close()
    if given["follow"]:
        keep(store, msgspec.structs.replace(asked, until=None if done.failed else min(until, now)))
    _say(done, store, as_json)
    if done.failed or done.ingested.rejected or done.ingested.conflicts:
        sys.exit(1)


def refresh(store: Store, now: datetime, say: Callable[[str], None], by: str | None = None) -> bool:
    """Fetch what is new of all that the store follows, each from where it was left; whether all of it came.

    Raises `EnvironmentFault` where the store can't be used; a source that can't be reached is told and left for later.
    """
    is_whole, log = True, Keeper(store, now, by)
    known = {source.id: source for source in sources()}
    for asked in followed(store):
        source = known.get(asked.source)
        if source is None or source.fetch is None:
            raise StoreError(f"{store.root}: follows {asked.source!r}, which this kholo can't fetch")
        endpoints = {**source.fetch.endpoints, **asked.endpoints}
        web = web_of(source.fetch, endpoints, 4)
        try:
            plan = source.fetch.plan(wanted(asked, now, now), endpoints, web, lambda _done, _all: None)
            done = run.fetch(store, source.id, plan, web, now, default_workers(cpu_count()), note=log.fetched)
        except NetworkFault as error:
            say(f"{source.name}: {error}; looked for again at the next run")
            is_whole = False
            continue
        finally:
            web.close()
        if done.failed:
            say(f"{source.name}: {len(done.failed)} objects were not fetched; tried again at the next run")
            is_whole = False
        else:
            keep(store, msgspec.structs.replace(asked, until=now))
    return is_whole


def _estimate(source: Source, plan: Plan, todo: run.Due, as_json: bool) -> None:
    seconds = max(todo.size / _RATE, plan.seconds * len(todo.fetch) / max(len(plan.objects), 1))
    if as_json:
        row = {
            "source": source.id, "objects": len(todo.fetch), "known": todo.known, "bytes": todo.size,
            "seconds": round(seconds), "notes": plan.notes,
        }  # fmt: skip
        click.echo(msgspec.json.encode({"estimate": row}))
        return
    for note in plan.notes:
        click.echo(f"{note}.")
    minutes = "less than a minute" if seconds < 60 else f"about {seconds / 60:.0f} minutes"
    click.echo(
        f"{source.name}: {len(todo.fetch)} objects to fetch, {_size(todo.size)}, {minutes}; {todo.known} known already"
    )


def _agree(size: int, is_agreed: bool) -> None:
    if size <= MUCH or is_agreed:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"that is {_size(size)}, more than {_size(MUCH)}: say --yes, or ask for fewer days")
    click.confirm(f"That is {_size(size)}. Fetch it?", abort=True)


def _say(done: run.Fetched, store: Store, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(done))
        return
    click.echo(f"{done.objects} objects fetched, {_size(done.size)}, {done.known} known already")
    if done.absent:
        click.echo(f"  {done.absent} are not there: the archive has nothing on that")
    say_ingested(done.ingested, store.root)
    for name, why in sorted(done.failed.items())[:10]:
        click.echo(f"  not fetched: {name}: {why}", err=True)
    if done.failed:
        click.echo(f"{len(done.failed)} objects were not fetched; the same command tries them again", err=True)


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


for _source in sources():
    if _source.fetch is not None:
        fetch.add_command(command(_source, _source.fetch))
