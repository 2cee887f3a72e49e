"""A store of many simulated verdicts, to measure `kholo serve` on: parts of 8,192, through the store's own writer."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

from kholo.judge import Judge
from kholo.model import Evidence, Grade, Layer, Locus, State, Verdict
from kholo.pipeline import sets
from kholo.pipeline.work import verdict_row
from kholo.store import Store, write_parquet

PART = 8_192
FIRST = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 900
SERVICES = ("x", "telegram", "whatsapp", "signal", "facebook", "wikipedia", "tor")
PLACES = ("ZZ", "PK", "TR", "BR", "UG", "IN", "IR", "RU")


def make(root: Path, judge: Judge, count: int, workers: int) -> Store:
    """A store of so many verdicts; the one that is there already where it has them."""
    store = Store(root, create=True)
    sets.keep(store, judge)
    store.derived(sets.name_of(judge))
    parts = range(count // PART)
    with ProcessPoolExecutor(workers) as pool:
        for _ in pool.map(_part, repeat(root), repeat(sets.name_of(judge)), parts, chunksize=8):
            pass
    return store


def uids(count: int, dice: random.Random) -> Iterator[str]:
    """Ids of measurements that are in such a store, without end."""
    while True:
        number = dice.randrange(count // PART * PART)
        yield uid(number, when(number))


def when(number: int) -> datetime:
    """The moment of a measurement: parts lie one after the other in time, and overlap a little."""
    spread = (number * 7_919) % 400_000
    return FIRST + timedelta(seconds=number * 7 + spread)


def uid(number: int, moment: datetime) -> str:
    """An id as archives make them."""
    return f"{moment:%Y%m%d%H%M%S}.{number % 1_000_000:06}_ZZ_webconnectivity_{number:016x}"


def _part(root: Path, name: str, number: int) -> None:
    store = Store(root)
    part = hashlib.sha256(b"%d" % number).hexdigest()
    path = store.root / "verdicts" / name / f"{part}.parquet"
    if path.exists():
        return
    ruleset, _, reference = name.partition("-")
    rows = (_row(place, ruleset, reference) for place in range(number * PART, (number + 1) * PART))
    write_parquet("verdicts", b"".join(rows), path)
    (store.parts / part).mkdir(exist_ok=True)


def _row(number: int, ruleset: str, reference: str) -> bytes:
    dice = random.Random(number)
    place = dice.choice(PLACES)
    network = f"AS{64_512 + int(dice.paretovariate(0.6)) % 400 + 400 * PLACES.index(place)}"
    state = dice.choices(
        (State.OK, State.BLOCKED, State.INSUFFICIENT, State.DOWN, State.THROTTLED), (80, 8, 9, 2.9, 0.1)
    )[0]
    is_bad = state in (State.BLOCKED, State.THROTTLED)
    moment = when(number)
    service = dice.choice(SERVICES)
    made = Verdict(
        measurement_uid=uid(number, moment), input=f"https://{service}.example/{number % 1_000}",
        test_name="web_connectivity", measured_at=moment, service=service, place=place, network=network, state=state,
        layer=Layer.TLS if is_bad else None, mechanism="tls.reset" if is_bad else None, also=(),
        reachable=None if state is State.INSUFFICIENT else not is_bad, locus=Locus.NETWORK if is_bad else Locus.UNKNOWN,
        evidence=Evidence.STRONG, grade=Grade.A, rule_id="tls.reset.proven" if is_bad else "ok.page", ruleset=ruleset,
        reference=reference, simulated=True,
    )  # fmt: skip
    return verdict_row(made, hashlib.sha256(b"%d" % number).hexdigest()[:32], f"r{number // 8}")


def size(store: Store) -> int:
    """Bytes of a store's verdicts."""
    return sum(path.stat().st_size for path in (store.root / "verdicts").rglob("*.parquet"))
