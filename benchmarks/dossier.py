"""How long a dossier takes: made, verified without and with the re-run; beside a plain ingest and `sha256sum -c`.

python benchmarks/dossier.py             # 100,000 simulated measurements; or with --measurements
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kholo.simulate import load_scenario, shipped_scenarios, simulate, write

CASE = Path(__file__).parent.parent / "cases" / "zz-simulated"
#: Goals: seconds of making and of verifying, of verifying without the re-run; MiB.
GOAL, GOAL_FORM, GOAL_MEMORY = 60, 5, 1_000
_PER_DAY = ("per_day = 24", "per_day = 16", "per_day = 10")
_DEMO = 2_723


def main() -> None:
    """Simulate, and take the time and the memory of each command as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measurements", type=int, default=100_000)
    wanted = parser.parse_args().measurements
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        count = material(folder, wanted)
        kholo = [str(Path(sys.executable).with_name("kholo"))]
        ingest, _ = timed("ingest, nothing more", [*kholo, "ingest", "raw.jsonl.gz", "--store", "store"], folder)
        make = [*kholo, "dossier", str(CASE), "--store", "store", "--out", "d.zip", "--as-of", "2026-01-01"]
        made, made_memory = timed("make", make, folder)
        form, _ = timed("verify --no-rerun", [*kholo, "verify", "d.zip", "--no-rerun"], folder)
        verified, verified_memory = timed("verify", [*kholo, "verify", "d.zip"], folder)
        subprocess.run([sys.executable, "-m", "zipfile", "-e", "d.zip", "out"], cwd=folder, check=True)
        bag = folder / "out" / "zz-simulated-dossier"
        plain, _ = timed("sha256sum -c, unpacked", ["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], bag)
        size = (folder / "d.zip").stat().st_size
    print(f"{count} measurements, {size >> 20} MiB")
    print(f"make / ingest           {made / ingest:5.2f}")
    print(f"verify / ingest         {verified / ingest:5.2f}")
    print(f"--no-rerun / sha256sum  {form / plain:5.2f}")
    print(f"make / goal             {made / GOAL:5.2f}   verify / goal {verified / GOAL:5.2f}")
    print(f"--no-rerun / goal       {form / GOAL_FORM:5.2f}")
    print(f"memory / goal           {max(made_memory, verified_memory) / GOAL_MEMORY:5.2f}")


def material(folder: Path, wanted: int) -> int:
    """Simulated measurements of the demo's country, as many as wanted or some more."""
    text = shipped_scenarios()["demo"].read_text()
    for old in _PER_DAY:
        text = text.replace(old, f"per_day = {-(-int(old.split()[-1]) * wanted // _DEMO)}")
    (folder / "scenario.toml").write_text(text)
    return write(simulate(load_scenario(folder / "scenario.toml")), folder / "raw.jsonl.gz")


def timed(what: str, command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and MiB (peak of the process and each of its workers) that a command took."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: {process.stderr.read().decode() if process.stderr else status}")
    took = time.perf_counter() - begun
    print(f"{took:7.2f} s {usage.ru_maxrss / 1024:7.0f} MiB  {what}", flush=True)
    return took, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
