"""Runs inside the environment of the peer: how long `oonidata` takes to decode the lines of a file. Prints JSON."""

# mypy: ignore-errors
import contextlib
import io
import json
import sys
import time
from pathlib import Path

import orjson
from oonidata.dataclient import load_measurement


def readable(lines):
    """The places of the lines that the peer can read at all."""
    good = []
    for place, line in enumerate(lines):
        with contextlib.suppress(Exception):
            load_measurement(orjson.loads(line))
            good.append(place)
    return good


def main() -> None:
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    if sys.argv[2] == "readable":
        print(json.dumps(readable(lines)))
        return
    start = time.perf_counter()
    for line in lines:
        load_measurement(orjson.loads(line))
    print(json.dumps(time.perf_counter() - start))


if __name__ == "__main__":
    with contextlib.redirect_stderr(io.StringIO()):
        main()
