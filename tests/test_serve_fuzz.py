"""Whatever is asked, nothing falls over: no 500, no trace of a fault, and the document is kept to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.serve.resources import RESOURCES

from . import raw
from .serving import Server, kholo, served

ROOT = Path(__file__).parents[1]
PARAMS = sorted({param.name for one in RESOURCES for param in one.params})
EXAMPLES = sorted({param.example for one in RESOURCES for param in one.params})
#: What a client may send for a header that is read here.
HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "If-None-Match",
    "If-Modified-Since",
    "X-Forwarded-For",
    "Range",
    "If-Range",
    "Origin",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("fuzz")
    kholo("simulate", "demo", "--out", place / "demo.jsonl.gz")
    (place / "real.json").write_bytes(raw.encode(raw.measurement()))
    kholo("ingest", place / "demo.jsonl.gz", place / "real.json", "--store", place / "store")
    with served("--store", place / "store", "--cases", ROOT / "cases", "--rate", "0", "--behind-proxy") as running:
        yield running


SEGMENTS = st.one_of(
    st.sampled_from(["api", "v1", *(part for one in RESOURCES for part in one.path.split("/") if part)]),
    st.sampled_from(
        [
            "en",
            "ur",
            "measurements",
            "incidents",
            "..",
            ".",
            "",
            "%00",
            "%0d%0a",
            "%2f",
            "x-pakistan-2024",
            "zz-simulated",
            *map(quote, EXAMPLES),
        ]
    ),
    st.text(max_size=12).map(lambda text: quote(text, safe="")),
    st.binary(max_size=8).map(quote),
)
PATHS = st.one_of(
    st.lists(SEGMENTS, max_size=6).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from([one.path for one in RESOURCES]),
)
VALUES = st.one_of(
    st.sampled_from([*EXAMPLES, "true", "false", "asc", "csv", "jsonl", "1000", "0", "-1", "9" * 40, "AS4294967296"]),
    st.text(max_size=30),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.binary(max_size=20),
)
QUERIES = st.lists(st.tuples(st.one_of(st.sampled_from(PARAMS), st.text(max_size=8)), VALUES), max_size=5)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@settings(max_examples=600)
@given(
    PATHS, QUERIES, st.dictionaries(st.sampled_from(HEADERS), TEXT, max_size=4), st.sampled_from(["GET", "HEAD", "PUT"])
)
def test_no_address_and_no_header_makes_it_fall(
    server: Server, path: str, query: list[tuple[str, str | bytes]], headers: dict[str, str], method: str
) -> None:
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    got = server.get(f"{path}?{asked}" if asked else path, method, **headers)
    assert got.status not in (500, 503)
    assert b"Traceback" not in got.body
    if got.status >= 400 and method == "GET":
        assert got["Content-Type"] == "application/problem+json"
        assert json.loads(got.body)["status"] == got.status
    if "Access-Control-Allow-Origin" in got.headers:
        assert got["Content-Type"] is None or "html" not in got["Content-Type"]


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda rest: b"GET /api/v1/cases" + rest)))
def test_no_bytes_make_it_fall(server: Server, data: bytes) -> None:
    first = server.send(data).split(b"\r\n")[0]
    assert first == b"" or (first.startswith(b"HTTP/1.1 ") and first.split()[1] not in (b"500", b"503"))


def test_schemathesis_finds_nothing(server: Server, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json"]
    options = [
        "--max-examples",
        "25",
        "--seed",
        "1",
        "--no-color",
        "--workers",
        "1",
        "--phases",
        "examples,coverage,fuzzing",
    ]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    # All but the document itself.
    assert f"Tested: {len(RESOURCES) - 1}\n" in done.stdout


#: A cursor is opaque, so that one made up is refused though the schema allows it.
SETTINGS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404"]
"""
