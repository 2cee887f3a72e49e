"""OONI's API and archive as the servers play them: all ways to the measurements give the same ones."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import lz4.frame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .raw import measurement
from .servers import Faults, Kind, OoniApi, Running, archive, serve
from .test_servers import get

START = datetime(2024, 2, 17, 18, tzinfo=UTC)
CC = {"AS64496": "PK", "AS64497": "PK", "AS64511": "UG"}


def made(number: int, minutes: int, network: str, host: str, blocking: str | bool | None = None) -> dict[str, Any]:
    start, cc = START + timedelta(minutes=minutes), CC[network]
    return measurement(
        f"https://{host}/",
        measurement_uid=f"{start + timedelta(seconds=9):%Y%m%d%H%M%S}.{number:06}_{cc}_webconnectivity_{number:016x}",
        report_id=f"{start:%Y%m%dT%H}0000Z_webconnectivity_{cc}_{network[2:]}_n1_{number % 3:08}",
        measurement_start_time=f"{start:%Y-%m-%d %H:%M:%S}",
        probe_cc=cc,
        probe_asn=network,
        blocking=blocking,
    )


SOME = [
    made(
        number,
        7 * number,
        list(CC)[number % 3],
        ["x.com", "t.co"][number % 2],
        "dns" if number % 5 == 0 else False,
    )
    for number in range(70)
]
UIDS = {item["measurement_uid"] for item in SOME}


def ask(running: Running, call: str, **query: str) -> Any:
    answer = get(running, f"/api/v1/{call}?{urlencode(query)}")
    assert answer.status == 200
    return json.loads(answer.body)


def pages(running: Running, **query: str) -> Iterator[list[dict[str, Any]]]:
    page = ask(running, "measurements", **query)
    while True:
        yield page["results"]
        url = page["metadata"]["next_url"]
        if url is None:
            return
        assert url.startswith(running.url + "/api/v1/measurements?")
        page = json.loads(get(running, url.removeprefix(running.url)).body)


SPAN = {"since": "2024-02-17", "until": "2024-03-01"}


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 80), st.sampled_from(["asc", "desc"]), st.integers(0, 40))
def test_the_pages_join_to_exactly_the_measurements(limit: int, order: str, offset: int) -> None:
    query = {**SPAN, "limit": str(limit), "order": order, "offset": str(offset)}
    with serve(OoniApi(SOME)) as running:
        found = [item for page in pages(running, **query) for item in page]
    uids = [item["measurement_uid"] for item in found]
    whole = sorted(UIDS, reverse=order == "desc")
    assert uids == whole[offset:]


def test_filters_choose_and_each_listed_one_can_be_had() -> None:
    raw = {item["measurement_uid"]: item for item in SOME}
    filters = [{"probe_cc": "PK"}, {"probe_asn": "AS64511"}, {"domain": "x.com,t.co"}, {"input": "https://t.co/"}]
    filters += [
        {"since": "2024-02-18T00:00:00"},
        {"until": "2024-02-18T00:07:00"},
        {"anomaly": "true"},
        {"test_name": "tor"},
    ]
    with serve(OoniApi(SOME)) as running:
        sizes = []
        for query in filters:
            items = [item for page in pages(running, **{**SPAN, "limit": "1000", **query}) for item in page]
            sizes.append(len(items))
            for item in items[:2]:
                body = json.loads(get(running, item["measurement_url"].removeprefix(running.url)).body)
                assert {**body, "measurement_uid": item["measurement_uid"]} == raw[item["measurement_uid"]]
        uid = SOME[0]["measurement_uid"]
        meta = ask(running, "measurement_meta", measurement_uid=uid, full="true")
        other = ask(running, "measurement_meta", report_id=SOME[0]["report_id"], input="https://x.com/")
        assert meta["probe_asn"] == 64496
        assert json.loads(meta["raw_measurement"])["report_id"] == other["report_id"] == SOME[0]["report_id"]
        assert ask(running, "raw_measurement", measurement_uid="2024_none") == {}
    starts = [item["measurement_start_time"] for item in SOME]
    assert sizes == [
        sum(item["probe_cc"] == "PK" for item in SOME),
        sum(item["probe_asn"] == "AS64511" for item in SOME),
        len(SOME),
        sum(item["input"] == "https://t.co/" for item in SOME),
        sum(start > "2024-02-18 00:00:00" for start in starts),
        sum(start <= "2024-02-18 00:07:00" for start in starts),
        sum(item["test_keys"]["blocking"] == "dns" for item in SOME),
        0,
    ]


def test_what_is_added_late_is_listed() -> None:
    api = OoniApi(SOME[:3])
    with serve(api) as running:
        steps = pages(running, **SPAN, limit="1", order="asc")
        seen = next(steps)
        api.add(made(900, 5, "AS64496", "x.com"))
        seen += [item for page in steps for item in page]
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("measurements?since=2024-01-01&until=2024-07-01", 400, {"detail": "Time range must not exceed 6 months."}),
        ("measurements?since=yesterday", 422, {"detail": [{"loc": ["query", "since"]}]}),
        ("measurements?limit=1000001", 422, {"detail": [{"loc": ["query", "limit"]}]}),
        ("measurements?cont=a", 400, {"detail": {"msg": "Invalid continuation token"}}),
        ("raw_measurement", 400, {"detail": "Either report_id or measurement_uid must be provided"}),
        (f"raw_measurement?measurement_uid={SOME[1]['measurement_uid']}", 500, {"detail": "Measurement not found"}),
        ("aggregation?axis_x=colour", 400, {"msg": "Invalid axis name", "v": 0}),
        ("aggregation?axis_x=input&axis_y=input", 200, {"msg": "Axis X and Y cannot be the same", "v": 0}),
        ("aggregation?since=2024-01-01T10:00:00", 422, {"detail": [{"loc": ["query", "since"]}]}),
    ],
)
def test_refusals(target: str, status: int, body: object) -> None:
    with serve(OoniApi(SOME, lost=[SOME[1]["measurement_uid"]])) as running:
        answer = get(running, f"/api/v1/{target}")
    assert answer.status == status
    assert alike(body, json.loads(answer.body))


def alike(wanted: Any, found: Any) -> bool:
    """Whether all that is wanted is there; texts may go on."""
    if isinstance(wanted, dict):
        return all(alike(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return all(alike(*pair) for pair in zip(wanted, found, strict=True))
    return bool(found.startswith(wanted)) if isinstance(wanted, str) else bool(wanted == found)


def test_counts_add_up_in_both_formats() -> None:
    query = {**SPAN, "axis_x": "measurement_start_day", "axis_y": "probe_asn"}
    confirmed = SOME[5]["measurement_uid"]
    with serve(OoniApi(SOME, confirmed=[confirmed])) as running:
        whole = ask(running, "aggregation", **query)
        table = get(running, f"/api/v1/aggregation?{urlencode({**query, 'format': 'CSV'})}").body.decode()
        hours = ask(running, "aggregation", since="2024-02-17", until="2024-02-19", axis_x="measurement_start_day")
        total = ask(running, "aggregation", **SPAN, probe_cc="UG")
        wrong = get(running, "/api/v1/aggregation?since=2024-02-01&until=2024-02-20&time_grain=hour")
        nothing = get(running, "/api/v1/aggregation?since=2020-02-01&until=2020-02-20&axis_x=input&format=CSV")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [{name: str(value) for name, value in sorted(row.items())} for row in whole["result"]] == rows
    cells = {(row["measurement_start_day"], row["probe_asn"]): row["measurement_count"] for row in whole["result"]}
    assert cells == Counter((item["measurement_start_time"][:10], int(item["probe_asn"][2:])) for item in SOME)
    assert sum(row["confirmed_count"] for row in whole["result"]) == 1
    assert sum(row["anomaly_count"] for row in whole["result"]) == len(SOME) // 5 - 1
    assert hours["result"][0]["measurement_start_day"] == "2024-02-17T18:00:00Z"
    assert total["dimension_count"] == 0
    assert total["result"]["measurement_count"] == sum(item["probe_cc"] == "UG" for item in SOME)
    assert (wrong.status, nothing.status) == (500, 400)


def test_the_quota_ends() -> None:
    with serve(OoniApi(SOME, quota=2)) as running:
        left = [get(running, "/api/v1/measurements").headers["X-RateLimit-Remaining"] for _ in range(2)]
        answer = get(running, "/api/v1/measurements")
    assert left == ["1", "0"]
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (429, b"Quota exceeded", None)


def test_a_listing_may_name_itself_as_the_next() -> None:
    with serve(OoniApi(SOME), Faults(1, 1, [Kind.REPEAT_PAGE])) as running:
        page = ask(running, "measurements", **SPAN, limit="10")
        again = json.loads(get(running, page["metadata"]["next_url"].removeprefix(running.url)).body)
    assert again["results"] == page["results"]


def sent(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "measurement_uid"}


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def by_report(items: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(sent(item), sort_keys=True) for item in items)


@pytest.mark.parametrize("is_packed", [True, False])
def test_the_hours_hold_each_measurement_twice(is_packed: bool) -> None:
    objects = archive.raw(SOME, most=3, is_packed=is_packed)
    assert objects == archive.raw(SOME, most=3, is_packed=is_packed)
    posts: dict[str, Any] = {}
    from_lines = []
    for name, body in objects.items():
        stem, _, ending = name.partition(".n0.")
        assert "/".join([stem.split("/")[-1][:8], stem.split("/")[-1][8:10]]) == "/".join(stem.split("/")[1:3])
        if ending.endswith(".jsonl.gz"):
            from_lines += lines(gzip.decompress(body))
            continue
        assert body.startswith(b"\x1f\x8b") == is_packed
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            for member in tar:
                post = json.load(tar.extractfile(member))  # type: ignore[arg-type]
                assert post["format"] == "json"
                posts[member.name.split("/")[-1].removesuffix(".post")] = post["content"]
    assert posts == {item["measurement_uid"]: sent(item) for item in SOME}
    assert by_report(from_lines) == by_report(SOME)
    assert "raw/20240217/18/PK/webconnectivity/2024021718_PK_webconnectivity.n0.0.jsonl.gz" in objects


def test_the_days_hold_each_measurement() -> None:
    objects = archive.jsonl(SOME)
    assert by_report([item for body in objects.values() for item in lines(gzip.decompress(body))]) == by_report(SOME)
    assert "jsonl/webconnectivity/UG/20240218/00/20240218_UG_webconnectivity.l.0.jsonl.gz" in objects


@pytest.mark.parametrize(("most", "packs"), [(1, 0), (60_000, 3), (64 << 20, 2)])
def test_the_cans_hold_each_measurement_and_the_index_says_what_they_are(most: int, packs: int) -> None:
    objects = archive.canned(SOME, most)
    assert objects == archive.canned(SOME, most)
    rows = [
        row for name, body in objects.items() if name.endswith("index.json.gz") for row in lines(gzip.decompress(body))
    ]
    assert {f"canned/{row['filename']}" for row in rows} == {name for name in objects if name.endswith(".lz4")}
    found = []
    for row in rows:
        file = objects[f"canned/{row['filename']}"]
        checked(row, "file", file)
        text = lz4.frame.decompress(file)
        texts = {row.get("textname"): text}
        if "canned" in row:
            with tarfile.open(fileobj=io.BytesIO(text)) as tar:
                texts = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        for inner in row.get("canned", [row]):
            checked(inner, "text", texts[inner["textname"]])
            found += lines(texts[inner["textname"]])
    assert by_report(found) == by_report(SOME)
    assert sum(name.endswith(".tar.lz4") for name in objects) == packs


def checked(row: dict[str, Any], kind: str, body: bytes) -> None:
    assert row[f"{kind}_size"] == len(body)
    assert row[f"{kind}_crc32"] & 0xFFFFFFFF == zlib.crc32(body)
    assert -(2**31) <= row[f"{kind}_crc32"] < 2**31
    assert base64.b64decode(row[f"{kind}_sha1"]) == hashlib.sha1(body).digest()
