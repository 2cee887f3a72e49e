"""The objects of OONI's bucket, made out of raw measurements. The same measurements give the same bytes.

What the layouts are, and where it stands (repository/path):

`raw/YYYYMMDD/HH/CC/testname/YYYYMMDDHH_CC_testname.nH.C.jsonl.gz` and `.tar.gz`, from 2020-10-20 on
(ooni/backend docs/MeasurementUploader.md, api/ooni_api_uploader.py):
- Both hold the same measurements: take one of the two. `H` is the host that collected them, `C` counts from 0; a new
  pair is begun once the tar.gz is larger than 20 MB. The test's name has no underscores.
- Day and hour are those of the upload to the collector, not of the measurement, which may be days older. An hour is
  published an hour or more after its end. An hour may have files of several hosts.
- A line of the JSONL is what the probe sent, so it has no `measurement_uid`; what could not be read is a line `{}`.
- A member of the tar is `<folders>/YYYYMMDDHH_CC_testname/<measurement_uid>.post`, JSON:
  `{"format": "json", "content": {...}}`. The uid stands in the name only. `format` may be `yaml`. Some older files
  named `.tar.gz` are not compressed (ooni/data oonidata/src/oonidata/dataclient.py).

`jsonl/testname/CC/YYYYMMDD/00/YYYYMMDD_CC_testname.l.0.jsonl.gz`, before 2020-10-21 (docs/MeasurementUploader.md).
The day is that of processing. One measurement a line.

`canned/YYYY-MM-DD/`, before 2020-10-22, in `ooni-data-eu-fra` from 2020-06-02 on, older ones from 2012-12-05 on in the
bucket `ooni-data` (dataclient.py); made by ooni/backend af/shovel/canning.py:
- A report is a file `YYYYMMDDTHHMMSSZ-CC-ASn-test_name-<report id>-0.2.0-probe.json` (or `.yaml`), one measurement a
  line.
- Reports of one test are packed by their order up to 64 MiB into `test_name.N.tar.lz4` (underscores stay; `N` is padded
  with zeros to the width of the last); members are `YYYY-MM-DD/<report>`. A report alone in its pack, or of 64 MiB or
  more, is stored as `<report>.lz4`. lz4 is the frame format.
- `index.json.gz` has one JSON object a line and object: `filename`, `file_size`, `file_crc32`, `file_sha1` of the
  `.lz4`, and `canned`, a list of `textname`, `text_size`, `text_crc32`, `text_sha1`, or these four directly where it is
  one report. Names begin with the day. SHA-1 is in base64, CRC-32 signed.
- These measurements have no uid. OONI's own tools make one: `01`, the day of the start as YYYYMMDD, and 15 bytes of
  SHAKE-128 of the line in hex (oonidata/src/oonidata/datautils.py, `trivial_id`).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, TypeVar

import lz4.frame

Raw = Mapping[str, Any]
Item = TypeVar("Item")
Key = TypeVar("Key", str, tuple[str, str], tuple[str, str, str])
SPOOL = "var/lib/ooniapi/measurements/incoming"


def raw(measurements: Iterable[Raw], host: str = "n0", most: int = 1000, is_packed: bool = True) -> dict[str, bytes]:
    """Hours of `raw/`, by the uids; `most` measurements a pair of files. Not packed, the `.tar.gz` is a plain tar."""
    objects = {}
    # A uid is 20240217180000.000000_PK_webconnectivity_0123456789abcdef.
    for (hour, cc, test), group in _grouped(measurements, _upload):
        stem = f"{hour}_{cc}_{test}"
        for number, start in enumerate(range(0, len(group), most)):
            part = group[start : start + most]
            posts = {
                f"{SPOOL}/{stem}/{item['measurement_uid']}.post": _json({"format": "json", "content": _sent(item)})
                for item in part
            }
            tar, base = _tar(posts), f"raw/{hour[:8]}/{hour[8:]}/{cc}/{test}/{stem}.{host}.{number}"
            objects[f"{base}.jsonl.gz"] = gzip.compress(_lines(part), mtime=0)
            objects[f"{base}.tar.gz"] = gzip.compress(tar, mtime=0) if is_packed else tar
    return objects


def jsonl(measurements: Iterable[Raw]) -> dict[str, bytes]:
    """Days of `jsonl/`, by the start of the measurements."""
    objects = {}
    for (day, cc, test), group in _grouped(measurements, _place):
        date, name = day.replace("-", ""), test.replace("_", "")
        objects[f"jsonl/{name}/{cc}/{date}/00/{date}_{cc}_{name}.l.0.jsonl.gz"] = gzip.compress(_lines(group), mtime=0)
    return objects


def canned(measurements: Iterable[Raw], most: int = 64 << 20) -> dict[str, bytes]:
    """Days of `canned/`, by the start of the measurements, with packs of up to `most` bytes, and their indexes."""
    reports = {_report(group[0]): _lines(group) for _, group in _grouped(measurements, _report)}
    objects: dict[str, bytes] = {}
    index: dict[str, list[dict[str, Any]]] = {}
    for (day, test), names in _grouped(reports, lambda name: (name[:10], name.split("-")[5])):
        packs = _packs({name: reports[name] for name in names}, most)
        width = len(str(max(0, sum(len(pack) > 1 for pack in packs) - 1)))
        number = 0
        for pack in packs:
            inner = [{"textname": name, **_sums("text", text)} for name, text in pack.items()]
            if len(pack) > 1:
                name, text = f"{day}/{test}.{number:0{width}}.tar.lz4", _tar(pack)
                row: dict[str, Any] = {"canned": inner, "text_size": len(text)}
                number += 1
            else:
                name, text, row = f"{inner[0]['textname']}.lz4", next(iter(pack.values())), inner[0]
            objects[f"canned/{name}"] = file = lz4.frame.compress(text)
            index.setdefault(day, []).append({**row, "filename": name, **_sums("file", file)})
    for day, rows in index.items():
        lines = b"".join(_json(dict(sorted(row.items()))) + b"\n" for row in rows)
        objects[f"canned/{day}/index.json.gz"] = gzip.compress(lines, mtime=0)
    return objects


def _packs(reports: Mapping[str, bytes], most: int) -> list[dict[str, bytes]]:
    """Small reports together by their order, large ones each alone."""
    packs: list[dict[str, bytes]] = [{}]
    for name, text in reports.items():
        if len(text) >= most:
            packs.insert(0, {name: text})
            continue
        if packs[-1] and sum(map(len, packs[-1].values())) + len(text) >= most:
            packs.append({})
        packs[-1][name] = text
    return [pack for pack in packs if pack]


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> list[tuple[Key, list[Item]]]:
    """By keys in their order; within a key in the order given."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return sorted(groups.items(), key=itemgetter(0))


def _upload(item: Raw) -> tuple[str, str, str]:
    moment, cc, test, _ = item["measurement_uid"].split("_")
    return moment[:10], cc, test


def _place(item: Raw) -> tuple[str, str, str]:
    return item["measurement_start_time"][:10], item["probe_cc"], item["test_name"]


def _report(item: Raw) -> str:
    """The name of the report: 2020-06-03/20200603T180000Z-PK-AS64496-web_connectivity-<report id>-0.2.0-probe.json."""
    day, cc, test = _place(item)
    moment = item.get("test_start_time", item["measurement_start_time"])
    moment = moment.translate({ord("-"): None, ord(":"): None, ord(" "): "T"})
    return f"{day}/{moment}Z-{cc}-{item['probe_asn']}-{test}-{item['report_id']}-0.2.0-probe.json"


def _sent(item: Raw) -> dict[str, Any]:
    """The measurement as the probe sent it."""
    return {name: value for name, value in item.items() if name != "measurement_uid"}


def _lines(items: Iterable[Raw]) -> bytes:
    return b"".join(_json(_sent(item)) + b"\n" for item in items)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _tar(members: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return whole.getvalue()


def _sums(kind: str, body: bytes) -> dict[str, Any]:
    crc = zlib.crc32(body)
    return {
        f"{kind}_crc32": crc - (crc >> 31 << 32),
        f"{kind}_sha1": base64.b64encode(hashlib.sha1(body).digest()).decode(),
        f"{kind}_size": len(body),
    }
