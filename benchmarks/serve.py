"""How many requests a second `kholo serve` answers on a store of ten million verdicts, beside nginx with static files.

python benchmarks/serve.py               # or: make bench-serve; needs wrk, and nginx for the ratio
python benchmarks/serve.py --n 1000000 --seconds 5 --workers 2
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.commands import COMMAND
from tests.serving import free_port

from benchmarks.run import WORK
from benchmarks.serve_store import FIRST, PART, PLACES, SERVICES, make, size, uids
from kholo.judge import Judge
from kholo.pipeline import sets
from kholo.pipeline.attach import Extra
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verdicts import verdict_files
from kholo.serve import Sources, facts
from kholo.serve.fill import fill, state_of
from kholo.serve.index import LAYOUT, VERDICTS, Current, Place, opened
from kholo.serve.refresh import made_from
from kholo.store import Store

API = "/api/v1"
GOAL, GOAL_MS = 2_000, 50.0
_SCRIPT = """
local paths = {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
local place = 0
request = function()
  place = place % #paths + 1
  return wrk.format("GET", paths[place], {["Accept-Encoding"] = os.getenv("ENCODING")})
end
"""
_NGINX = """
worker_processes 2; daemon off; error_log stderr crit; pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


class Speed(msgspec.Struct):
    """What wrk said: requests a second, and milliseconds below which half, and 99 in 100, were answered."""

    rate: float
    p50: float
    p99: float
    failed: int


def index(store: Store, judge: Judge) -> None:
    """Index the verdicts. Incidents are left out: finding them in ten million made-up verdicts is another matter."""
    sources = Sources(store.root / "served", store.root, extra=Extra(is_plain=True))
    place = Place(sources.folder)
    mark = made_from(sources, datetime.now(UTC))
    before, file = place.current(), f"verdicts-bench-{LAYOUT}.sqlite"
    if before is not None and before.generation == len(store.part_ids()) and before.verdicts == file:
        place.publish(msgspec.structs.replace(before, made_from=mark))
        return
    place.folder.mkdir(exist_ok=True)
    name = sets.name_of(judge)
    path = place.folder / file
    path.unlink(missing_ok=True)
    begun = time.perf_counter()
    db = opened(path, is_new=True, schema=VERDICTS)
    generation = fill(db, store, verdict_files(store, name))
    made = [*facts.of_judge(judge), *facts.of_networks(db)]
    db.close()
    opened(path).close()
    print(f"indexed in {time.perf_counter() - begun:.0f} s, {path.stat().st_size >> 20} MiB")
    about, digest = facts.write(made, place.folder)
    state = state_of(name, store.part_ids())
    place.publish(Current(about, digest, mark, datetime.now(UTC), path.name, state, generation, name))


def kinds(count: int, many: int) -> dict[str, list[str]]:
    """Addresses of each kind of request; all of one kind differ where they are not called the same."""
    dice = random.Random(1)
    ids = uids(count, dice)
    span = count * 7

    def listed(limit: int, **more: str) -> str:
        begin = datetime.fromtimestamp(FIRST.timestamp() + dice.randrange(span), UTC)
        asked = "".join(f"&{name}={value}" for name, value in more.items())
        return f"{API}/verdicts?simulated=true&limit={limit}&since={begin:%Y-%m-%dT%H:%M:%SZ}{asked}"

    def about() -> dict[str, str]:
        return {"service": dice.choice(SERVICES), "place": dice.choice(PLACES)}

    lookups = [f"{API}/verdicts/{next(ids)}" for _ in range(many)]
    lists = [listed(20, **about()) for _ in range(many)]
    hot = [lists[0], lookups[0], f"{API}/services", f"{API}/rules?limit=20"]
    return {
        "one verdict, each another": lookups,
        "20 of a service and place, each another": lists,
        "100 of a service and place, each another": [listed(100, **about()) for _ in range(many)],
        "100 of a network, each another": [
            listed(100, network=f"AS{64_512 + dice.randrange(3_200)}") for _ in range(many)
        ],
        "100 blocked anywhere, each another": [listed(100, state="blocked") for _ in range(many)],
        "four addresses again and again": hot,
        "mixed: 6 of 10 one verdict, 2 lists, 2 known": [
            dice.choice(lookups) if number % 10 < 6 else dice.choice(lists) if number % 10 < 8 else dice.choice(hot)
            for number in range(many)
        ],
    }  # fmt: skip


def wrk(port: int, paths: list[str], seconds: int, connections: int = 32, encoding: str = "identity") -> Speed:
    """Ask for these paths in turn, on so many connections."""
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder) / "s.lua", Path(folder) / "paths"
        script.write_text(_SCRIPT)
        listed.write_text("\n".join(paths) + "\n")
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--latency",
            "-s",
            str(script),
            f"http://127.0.0.1:{port}",
        ]
        env = {**os.environ, "PATHS": str(listed), "ENCODING": encoding}
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    return Speed(rate, _ms(said, "50%"), _ms(said, "99%"), failed)


def _ms(said: str, share: str) -> float:
    number, unit = re.findall(rf"{share}\s+([\d.]+)(us|ms|s)", said)[0]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1_000.0}[unit]


@contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server, as soon as it answers, until the end of the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
                continue
            break
        yield process
    finally:
        process.terminate()
        process.wait(30)


def rss(pid: int) -> int:
    """MiB that a process and its children hold."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = [line for one in (pid, *children) for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def beside(body: bytes, seconds: int) -> Speed | None:
    """nginx with a static file of the same length."""
    if shutil.which("nginx") is None:
        print("nginx is not here: no ratio to it (apt-get install nginx-light)")
        return None
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "a.json").write_bytes(body)
        config = Path(folder) / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port))
        with running(["nginx", "-c", str(config), "-p", folder], port):
            return wrk(port, ["/a.json"], seconds)


def main() -> None:
    """Make the store where it is not there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000_000, help="verdicts of the store")
    parser.add_argument("--seconds", type=int, default=8, help="of each kind of request")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not here, so kholo serve is not measured (apt-get install wrk)")
        return
    judge = judge_for(None)
    store = make(WORK / f"serve-{given.n}", judge, given.n, os.cpu_count() or 1)
    print(f"{given.n // PART * PART:,} verdicts in {len(store.part_ids()):,} parts, {size(store) >> 20} MiB as Parquet")
    index(store, judge)
    port = free_port()
    command = [*COMMAND, "serve", "--store", str(store.root), "--port", str(port), "--plain"]
    command += ["--rate", "0", "--at-once", "0", "--workers", str(given.workers), "--every", "86400"]
    with running(command, port) as server:
        measure(server, port, given)


def measure(server: subprocess.Popen[bytes], port: int, given: argparse.Namespace) -> None:
    """Each kind in turn, with what the server holds before and after."""
    asked = kinds(given.n, 200_000)
    wrk(port, asked["one verdict, each another"][-2_000:], 2)
    begun = rss(server.pid)
    for name, paths in asked.items():
        found = wrk(port, paths, given.seconds)
        said = "met" if found.rate >= GOAL and found.p99 < GOAL_MS else "missed"
        print(
            f"{found.rate:8.0f} a second, half under {found.p50:6.1f} ms, 99 of 100 under {found.p99:6.1f} ms"
            f" ({said}{f', {found.failed} failed' if found.failed else ''}): {name}"
        )
    filled = rss(server.pid)
    for paths in asked.values():
        wrk(port, list(reversed(paths)), given.seconds)
    print(f"memory: {begun} MiB before, {filled} MiB after, {rss(server.pid)} MiB after as much again")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{asked['one verdict, each another'][0]}") as answer:
        body = answer.read()
    static = beside(body, given.seconds)
    if static is not None:
        mine = wrk(port, asked["one verdict, each another"], given.seconds)
        print(f"{static.rate:8.0f} a second: nginx, one static file of {len(body)} bytes")
        print(f"one verdict, each another / nginx static: {mine.rate / static.rate:.2f}")


if __name__ == "__main__":
    main()
