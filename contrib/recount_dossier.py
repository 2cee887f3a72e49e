#!/usr/bin/env python3
"""Counts the raw measurements of a dossier anew, with nothing of kholo's own code, and compares with what it publishes.

python contrib/recount_dossier.py FILE     (exit code: 0 the counts agree, 1 they do not, 2 usage, 3 can't be counted)

Counted are the runs of web_connectivity of the service by network and day; that is as far as counting goes without
judging. Whether the file is what was sealed says verify_dossier.py. Needs Python 3.11 and nothing else.
"""

import hashlib
import json
import sys
import tomllib
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

MAX_ITEM = 16 << 20
STATES = ("ok", "blocked", "throttled", "down", "insufficient")


class Unknown(Exception):
    """Why nothing can be counted, though nothing is wrong."""


def rows(archive: zipfile.ZipFile, folder: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each line of the index with the measurement that it is of."""
    for line in archive.read(f"{folder}/data/raw/index.jsonl").splitlines():
        if line == b"[redacted]":
            raise Unknown("raw measurements are withheld")
        row = json.loads(line)
        if f"{folder}/{row['file']}" not in archive.NameToInfo:
            raise Unknown("raw measurements are withheld")
        inflater = zlib.decompressobj(31)
        raw = inflater.decompress(archive.read(f"{folder}/{row['file']}"), MAX_ITEM + 1)
        if not inflater.eof or inflater.unused_data or hashlib.sha256(raw).hexdigest() != row["sha256"]:
            raise ValueError(f"{row['file']}: is not what the index says of it")
        item = json.loads(raw) if raw.startswith(b"{") else {}
        if item.get("test_name", "web_connectivity") != "web_connectivity" or not isinstance(item.get("input"), str):
            raise Unknown(f"{row['file']}: is of a kind that is not counted here")
        yield row, item


def recount(archive: zipfile.ZipFile) -> str:
    """What the counts say. Raises `ValueError` where they are not those that are published, and `Unknown`."""
    folder = archive.namelist()[0].partition("/")[0]
    published = json.loads(archive.read(f"{folder}/data/results/case.json"))
    services = tomllib.loads(archive.read(f"{folder}/data/reference/set/services.toml").decode())
    kinds = ("all_of", "any_of", "hosts")
    of_host = {host: name for name, one in services.items() for kind in kinds for host in one.get(kind, ())}
    counted, ids = Counter[tuple[str, str]](), set[str]()
    for row, item in rows(archive, folder):
        uid = row.get("uid") or item["measurement_uid"]
        if uid in ids:
            raise Unknown(f"{uid}: is inside twice")
        ids.add(uid)
        labels = (urlsplit(item["input"]).hostname or "").split(".")
        names = (".".join(labels[start:]) for start in range(len(labels)))
        service = next((of_host[name] for name in names if name in of_host), None)
        if (service, item["probe_cc"]) == (published["service"], published["place"]):
            counted[item["probe_asn"], item["measurement_start_time"][:10]] += 1
    shown = {(day["network"], day["day"]): sum(day[state] for state in STATES) for day in published["days"]}
    wrong = [f"{key}: {counted[key]} measured, {many} published" for key, many in shown.items() if counted[key] != many]
    if wrong:
        raise ValueError(f"{len(wrong)} days differ, such as {wrong[:3]}")
    return f"{sum(shown.values())} results on {len(shown)} days of networks: each is a raw measurement that is inside"


def main() -> int:
    """Count, and say what came of it."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with zipfile.ZipFile(sys.argv[1]) as archive:
            print(f"agrees: {recount(archive)}")
    except Unknown as error:
        print(f"not counted: {error}")
        return 3
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        RuntimeError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        print(f"does not agree: {type(error).__name__}: {str(error)[:500]!a}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
