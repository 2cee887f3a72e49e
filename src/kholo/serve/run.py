"""Starting and stopping: the index is brought up to date, workers answer, and a new part is looked for now and then."""

from __future__ import annotations

import multiprocessing
import resource
import secrets
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from kholo.model import EnvironmentFault, KholoError
from kholo.model.text import clean
from kholo.store import Store

from .connections import Connections
from .limits import Limits
from .live import LivePages
from .pages import FolderPages
from .query import Reader
from .read import Index
from .refresh import SITE, Sources, made_from, refresh
from .respond import Site
from .streams import AT_ONCE
from .wsgi import application

#: Milliseconds in which a client has to send the head of a request, also on a connection that it keeps open, and bytes
#: that it may have.
_HEAD_TIME, _HEAD_SIZE = 10_000, 16_384
#: Threads besides those of large files: for answers in the making, and for requests that wait for their turn.
_WAITING = 16
#: Connections that one worker holds; the next ones wait to be accepted. That is what Granian calls backpressure.
_CONNECTIONS = 4_096
#: Those of them that one client may have, where the server sees who its clients are.
_OF_ONE = 256
#: Files that a process opens besides.
_FILES = 256
#: Seconds that requests under way have for their end when the server is stopped.
_STOP = 5


class Options(msgspec.Struct, frozen=True):
    """How it is served. `rate` is requests a second and client (0: any), `at_once` those that a client may have here at
    the same time (0: any); `every` seconds it looks for something new."""

    host: str = "127.0.0.1"
    port: int = 8_000
    workers: int = 1
    rate: float = 20.0
    at_once: int = 8
    every: float = 30.0
    is_behind_proxy: bool = False
    site: Path | None = None


def serve(sources: Sources, options: Options, say: Callable[[str], None]) -> None:
    """Serve until stopped. Raises `EnvironmentFault` where the server is missing or can't have the address."""
    try:
        from granian import Granian  # noqa: PLC0415 - an extra
        from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
        from granian.errors import ConfigurationError  # noqa: PLC0415
        from granian.http import HTTP1Settings  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentFault("serving needs Granian: pip install 'kholo[serve]'") from error
    salt = secrets.token_bytes(32)
    server = Granian(
        "kholo",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=_WAITING + AT_ONCE,
        backpressure=_room(),
        websockets=False,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_TIME, max_buffer_size=_HEAD_SIZE),
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP,
    )
    stopped = threading.Event()
    watcher = threading.Thread(target=_watch, args=(sources, options.every, stopped, say), daemon=True)

    def started() -> None:
        watcher.start()
        say(f"http://{_shown(options.host)}:{options.port}/   (Ctrl-C stops it)")

    server.on_startup(started)
    try:
        server.serve(target_loader=lambda: loaded(sources, options, salt), wrap_loader=False)
    except (OSError, RuntimeError, ConfigurationError) as error:
        raise EnvironmentFault(f"{options.host}:{options.port}: can't be served at: {error}") from error
    finally:
        stopped.set()


def loaded(sources: Sources, options: Options, salt: bytes) -> Callable[[dict[str, Any], Any], Any]:
    """What a worker runs."""
    store = Store(sources.store) if sources.store else None
    limits = Limits(options.rate, time.monotonic) if options.rate else None
    reader = Reader(Index(sources.folder), store)
    pages = LivePages(FolderPages(options.site or sources.folder / SITE), reader)
    site = Site(reader, pages, limits, salt, options.at_once)
    most = 0 if options.is_behind_proxy or not options.at_once else _OF_ONE
    threading.Thread(target=Connections(options.port, time.monotonic, most).watch, daemon=True).start()
    return application(site, is_behind_proxy=options.is_behind_proxy)


def _room() -> int:
    """How many connections there is room for, once the process may have as many files open as it is allowed to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _CONNECTIONS + _FILES
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(_FILES, most - _FILES)


def _watch(sources: Sources, every: float, stopped: threading.Event, say: Callable[[str], None]) -> None:
    """Bring the index up to date when there is something new, in a process whose memory goes with it."""
    while not stopped.wait(every):
        try:
            now = datetime.now(UTC).replace(microsecond=0)
            before = Index(sources.folder).current().made_from
            if made_from(sources, now) == before:
                continue
        except (KholoError, OSError) as error:
            say(f"kholo: {error}")
            continue
        worker = multiprocessing.get_context("spawn").Process(
            target=refresh_in_process, args=(sources, now), daemon=True
        )
        worker.start()
        while worker.is_alive() and not stopped.is_set():
            worker.join(0.2)
        if stopped.is_set():
            worker.terminate()
        elif worker.exitcode:
            say("kholo: what is new could not be taken in; what is served is as before")


def refresh_in_process(sources: Sources, as_of: datetime) -> None:
    """What a process of its own does; a fault is told and ends it."""
    try:
        refresh(sources, as_of)
    except (KholoError, OSError, duckdb.Error) as error:
        sys.stderr.write(f"kholo: {clean(str(error), 2_000)}\n")
        sys.exit(1)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
