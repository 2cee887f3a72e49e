"""Is a fetch bound by the network? Packed data a second, step by step, on the same bytes in the same run.

python benchmarks/fetch.py               # or: make bench
python benchmarks/fetch.py --n 40000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers import Bucket, archive, serve

from benchmarks.run import NOW, WORK, corpus, spread, templates
from kholo.fetch.plan import Wanted
from kholo.fetch.wait import Timing
from kholo.fetch.web import Web
from kholo.pipeline.fetch import fetch
from kholo.pipeline.ingest import ingest
from kholo.sources import archives, ooni_fetch
from kholo.store import Store

#: What a line would have to bring for judging to be what one waits for: the goal, packed, on two cores.
GOAL = 100 << 20
HOUR = datetime(2024, 3, 1, tzinfo=UTC)


def objects(made_of: list[dict[str, Any]], count: int) -> dict[str, bytes]:
    """Tars of one hour, as the archive packs them."""
    rows = [json.loads(line) | {"probe_cc": "PK"} for line in corpus(made_of, count)]
    for number, row in enumerate(rows):
        row["measurement_uid"] = f"20240301000000.{number:06}_PK_webconnectivity_{number:016x}"
    return {key: body for key, body in archive.raw(rows, most=2_000).items() if key.endswith(".tar.gz")}


def rate(size: int, action: Callable[[Path], object]) -> float:
    """Bytes a second of an action that gets a folder of its own."""
    folder = WORK / f"fetch-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    action(folder)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder, ignore_errors=True)
    return size / seconds


def read_only(paths: list[Path]) -> None:
    for path in paths:
        with path.open("rb") as stream:
            for _ in archives.read_file(path, path.name, stream):
                pass


def get(folder: Path, url: str) -> None:
    """All of it: list, download, check, ingest."""
    web = Web(Timing(time.sleep, time.monotonic, lambda: 0.5))
    options = {"via": "bucket", "layout": "auto", "form": "tar.gz"}
    wanted = Wanted("PK", HOUR, HOUR.replace(hour=1), NOW, options=options)
    plan = ooni_fetch.plan(wanted, {"bucket": url}, web, lambda _done, _all: None)
    done = fetch(Store(folder, create=True), "ooni", plan, web, NOW, workers=2)
    web.close()
    assert not done.failed
    assert done.ingested.new


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="measurements of the corpus")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    kind, made_of = templates(simulated=False)
    packed = objects(made_of, chosen.n)
    size = sum(map(len, packed.values()))
    files = WORK / "objects"
    shutil.rmtree(files, ignore_errors=True)
    for key, body in packed.items():
        (files / key).parent.mkdir(parents=True, exist_ok=True)
        (files / key).write_bytes(body)
    paths = sorted(path for path in files.rglob("*") if path.is_file())
    steps: dict[str, Callable[[Path], object]] = {
        "reading": lambda _folder: read_only(paths),
        "ingest, one worker": lambda folder: ingest(Store(folder, create=True), [files], None, NOW, 1),
        "ingest, two workers": lambda folder: ingest(Store(folder, create=True), [files], None, NOW, 2),
    }
    with serve(Bucket(packed)) as running:
        steps["fetch from this machine, two workers"] = lambda folder: get(folder, f"{running.url}/ooni-data-eu-fra")
        rates = {name: [rate(size, action) for _ in range(chosen.rounds)] for name, action in steps.items()}
    shutil.rmtree(files)
    shares = {name: spread([one / GOAL for one in found]) for name, found in rates.items()}
    if chosen.json:
        print(json.dumps({"corpus": kind, "bytes": size, "measurements": chosen.n, "to_goal": shares}))
        return
    print(f"{chosen.n} {kind}, {size >> 20} MiB packed")
    for name, found in rates.items():
        share = shares[name]["median"]
        mib = statistics.median(found) / (1 << 20)
        print(f"  {name}: {mib:.1f} MiB/s packed, {share:.2f} of the goal of {GOAL >> 20} MiB/s")


if __name__ == "__main__":
    main()
