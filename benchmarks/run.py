"""How fast, beside a peer and beside the limit, on the same bytes in the same run; and how much memory.

python benchmarks/run.py                 # or: make bench
python benchmarks/run.py --n 4000 --rounds 7 --json
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kholo.judge import Judge, load_ruleset
from kholo.observe import observe
from kholo.pipeline.ingest import ingest
from kholo.pipeline.work import judged, work
from kholo.reference import load_reference
from kholo.reference.fingerprints import load_fingerprints
from kholo.simulate import load_scenario, shipped_scenarios, simulate
from kholo.sources import archives, registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store

HERE = Path(__file__).parent
WORK = HERE / ".work"
REAL = HERE.parents[1] / "shared" / "data" / "ooni"
PEER = "oonidata==0.3.0"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
_MEMORY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from kholo.pipeline.ingest import ingest
from kholo.store import Store
ingest(Store(Path(sys.argv[2]), create=True), [Path(sys.argv[1])], None, datetime(2026, 11, 24, tzinfo=UTC))
# Not ru_maxrss: that would count what this process inherited from its parent before it began.
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def templates(simulated: bool) -> tuple[str, list[dict[str, Any]]]:
    """What the corpus is made of: real measurements where they are, else simulated ones."""
    if REAL.is_dir() and not simulated:
        files = sorted((REAL / "qa").glob("*.json")) + sorted((REAL / "measurements").glob("*web_connectivity*.json"))
        return "real web_connectivity measurements", [msgspec.json.decode(file.read_bytes()) for file in files]
    lines = simulate(load_scenario(shipped_scenarios()["mechanisms"]))
    return "simulated measurements", [msgspec.json.decode(line) for line in lines][::60]


def corpus(made_of: list[dict[str, Any]], count: int) -> list[bytes]:
    """Distinct measurements: ids, reports and times differ from line to line."""
    lines = []
    for number in range(count):
        row = made_of[number % len(made_of)]
        moment = f"2024-02-{1 + number % 28:02} {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
        row["measurement_start_time"] = row["test_start_time"] = moment
        row["measurement_uid"] = f"20240301000000.{number:06}_XX_webconnectivity_{number:016x}"
        row["report_id"] = f"20240201T000000Z_webconnectivity_XX_0_n1_{number // 8:08x}"
        lines.append(msgspec.json.encode(row))
    return lines


def peer_python() -> Path:
    """The peer pins old versions of common libraries, so it lives in an environment of its own."""
    home = WORK / "peer"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
        (home / "ready").touch()
    return python


def peer(task: str, path: Path) -> Any:
    done = subprocess.run([peer_python(), HERE / "peer.py", path, task], capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def decode_only(lines: list[bytes]) -> None:
    """The limit. Like the peer, it keeps nothing of what it decodes."""
    for line in lines:
        msgspec.json.decode(line)


def to_verdicts(items: list[Item], judge: Judge) -> None:
    """Text to observations to verdicts, keeping nothing."""
    for _ in judged(items, Context(NOW), judge):
        pass


def stages(items: list[Item], judge: Judge) -> dict[str, float]:
    """Seconds of each stage by itself, over the same items."""
    decoded: list[Any] = []
    seconds = {
        "decode": timed(lambda: decoded.extend(row for item in items for row in registry.decode(item, Context(NOW))))
    }
    seen: list[Any] = []
    seconds["observe"] = timed(lambda: seen.extend((m, observe(p, m.input)) for m, p in decoded))
    seconds["judge"] = timed(lambda: [judge.verdict(measurement, rows) for measurement, rows in seen])
    return seconds


def speed(lines: list[bytes], rounds: int) -> dict[str, Any]:
    """kholo, the peer and the limit in turn, several times; ratios pair by pair."""
    path = WORK / "corpus.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    good = peer("readable", path)
    lines = [lines[place] for place in good]
    path.write_bytes(b"\n".join(lines) + b"\n")
    items = [Item("corpus", place, line) for place, line in enumerate(lines, 1)]
    judge = Judge(load_ruleset(), load_reference())
    work(items[:500], Context(NOW), judge)
    times: dict[str, list[float]] = {"kholo": [], "rows": [], "peer": [], "limit": []}
    for _ in range(rounds):
        times["kholo"].append(timed(lambda: to_verdicts(items, judge)))
        times["rows"].append(timed(lambda: work(items, Context(NOW), judge)))
        times["peer"].append(peer("time", path))
        times["limit"].append(timed(lambda: decode_only(lines)))
    ratios = {
        name: [other / mine for mine, other in zip(times["kholo"], times[name], strict=True)]
        for name in ("peer", "limit")
    }
    return {
        "measurements": len(items),
        "bytes_each": sum(map(len, lines)) // len(lines),
        "a_second": {name: len(items) / statistics.median(found) for name, found in times.items()},
        "kholo_to_peer_decoding": spread(ratios["peer"]),
        "kholo_to_limit": spread(ratios["limit"]),
        "stage_seconds": stages(items, judge) | {"everything": statistics.median(times["rows"])},
    }


def spread(found: list[float]) -> dict[str, float]:
    return {"min": min(found), "median": statistics.median(found), "max": max(found)}


def memory(made_of: list[dict[str, Any]], count: int) -> dict[str, int]:
    """Peak memory (MiB) of an ingest of files of 1, 4 and 16 times the size, each in a process of its own."""
    peaks = {}
    for times in (1, 4, 16):
        path, store = WORK / f"memory-{times}.jsonl", WORK / f"store-{times}-{os.getpid()}"
        path.write_bytes(b"\n".join(corpus(made_of, count * times)) + b"\n")
        done = subprocess.run([sys.executable, "-c", _MEMORY, path, store], capture_output=True, check=True, text=True)
        peaks[f"{path.stat().st_size >> 20} MiB"] = int(done.stdout.split()[-1])
        path.unlink()
    return peaks


def workers(made_of: list[dict[str, Any]], count: int) -> dict[str, float]:
    """How much faster two workers ingest one file than one worker does, on two cores."""
    path = WORK / "workers.jsonl"
    path.write_bytes(b"\n".join(corpus(made_of, count)) + b"\n")
    seconds = {}
    for number in (1, 2):
        store = Store(WORK / f"store-{number}-workers-{os.getpid()}", create=True)
        seconds[number] = timed(lambda store=store, number=number: ingest(store, [path], None, NOW, number))  # type: ignore[misc]
    path.unlink()
    return {"two_to_one": seconds[1] / seconds[2]}


def packed(made_of: list[dict[str, Any]], count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Reading the lines of a .jsonl.gz, beside the standard library only inflating it."""
    path = WORK / "packed.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(corpus(made_of, count)) + b"\n", 6))

    def read() -> None:
        with path.open("rb") as stream:
            for _ in archives.read_file(path, path.name, stream):
                pass

    def inflate() -> None:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass

    pairs = [(timed(read), timed(inflate)) for _ in range(rounds)]
    return {"reading_to_inflating": spread([other / mine for mine, other in pairs])}


def matching(rounds: int) -> dict[str, dict[str, float]]:
    """Matching a page of 20 kB with all fingerprints that are at hand, beside decoding it from JSON."""
    paths = tuple(sorted((REAL / "fingerprints").glob("*.csv"))) if REAL.is_dir() else ()
    prints = load_fingerprints(paths) if paths else load_fingerprints()
    page = ('<tr><td class="x">A line of a page, with a link</td></tr>\n' * 400)[:20_000]
    encoded = msgspec.json.encode(page)
    pairs = [
        (
            timed(lambda: [prints.page({}, page, "PK") for _ in range(200)]),
            timed(lambda: [msgspec.json.decode(encoded) for _ in range(200)]),
        )
        for _ in range(rounds)
    ]
    return {f"{len(prints.fingerprints)}_to_decoding": spread([other / mine for mine, other in pairs])}


#: What the ratios should reach: 15 times the peer with its transforms, which takes 0.26 of its decoding rate.
GOALS = {"kholo_to_peer_decoding": 15 * 0.26, "kholo_to_limit": 0.35}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=3_000, help="measurements of the corpus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--simulated", action="store_true", help="simulated measurements even where real ones are")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    kind, made_of = templates(chosen.simulated)
    found: dict[str, Any] = {"corpus": kind, **workers(made_of, chosen.n * 10)}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found |= speed(corpus(made_of, chosen.n), chosen.rounds)
    found |= packed(made_of, chosen.n * 4, chosen.rounds) | matching(chosen.rounds)
    found["peak_mib"] = memory(made_of, 4_000)
    if chosen.json:
        print(json.dumps(found))
    else:
        report(found)


def report(found: dict[str, Any]) -> None:
    print(f"{found['measurements']} {found['corpus']}, {found['bytes_each']} bytes each, one core")
    for name, rate in found["a_second"].items():
        print(f"  {name:6} {rate:8.0f} measurements a second")
    for name, what in (
        ("kholo_to_peer_decoding", f"text to verdicts / {PEER} decoding only"),
        ("kholo_to_limit", "text to verdicts / msgspec decoding only"),
    ):
        ratio, goal = found[name], GOALS[name]
        said = "met" if ratio["median"] >= goal else "missed"
        print(f"{what}: {_ratio(ratio)}; goal {goal:.2f}x {said}")
    seconds = found["stage_seconds"]
    rest = seconds["everything"] - sum(value for name, value in seconds.items() if name != "everything")
    shares = {**{name: value for name, value in seconds.items() if name != "everything"}, "write rows": max(rest, 0.0)}
    print("time: " + ", ".join(f"{name} {value / seconds['everything']:.0%}" for name, value in shares.items()))
    print(f"two workers / one: {found['two_to_one']:.2f}x; goal 1.90x")
    print(f"reading .jsonl.gz / the standard library only inflating it: {_ratio(found['reading_to_inflating'])}")
    for name, ratio in found.items():
        if name.endswith("_to_decoding"):
            print(f"a page against {name.split('_')[0]} fingerprints / decoding it from JSON: {_ratio(ratio)}")
    peaks = found["peak_mib"]
    print("peak memory of an ingest: " + ", ".join(f"{peak} MiB for {size}" for size, peak in peaks.items()))


def _ratio(found: dict[str, float]) -> str:
    return f"{found['median']:.2f}x ({found['min']:.2f} to {found['max']:.2f})"


if __name__ == "__main__":
    main()
