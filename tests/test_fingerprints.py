"""Fingerprints: one pass, no backtracking, and a false positive always wins."""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import ReferenceDataError
from kholo.reference.fingerprints import Fingerprint, Fingerprints, load_fingerprints

HEAD = "name,scope,location_found,pattern_type,pattern,expected_countries\n"
words = st.text(alphabet="ab<>. \u00e9", min_size=1, max_size=4)


def made(kind: str, pattern: str, scope: str = "nat", **more: Any) -> Fingerprint:
    return Fingerprint(more.get("name", pattern), scope, more.get("location", "body"), kind, pattern, ())


patterns_ = st.lists(st.tuples(st.sampled_from(("full", "prefix", "contains")), words), min_size=1, max_size=8)
NAIVE: dict[str, Callable[[str, str], bool]] = {
    "full": lambda text, pattern: text == pattern,
    "prefix": lambda text, pattern: text.startswith(pattern),
    "contains": lambda text, pattern: pattern in text,
}


@given(patterns_, words, words)
def test_matching_all_at_once_is_matching_each(patterns: list[tuple[str, str]], one: str, two: str) -> None:
    text = one + two
    for kind, pattern in patterns:
        others = Fingerprints([made(kind, pattern) for kind, pattern in patterns], "")
        alone = Fingerprints([made(kind, pattern)], "")
        assert (alone.page({}, text, "PK") is not None) == NAIVE[kind](text, pattern)
        if alone.page({}, text, "PK"):
            assert others.page({}, text, "PK") is not None


@given(words, words)
def test_a_false_positive_always_wins_wherever_it_is(block: str, harmless: str) -> None:
    both = Fingerprints([made("contains", block), made("contains", harmless, "fp", location="header.server")], "")
    assert both.page({"server": "x"}, block, "PK") is not None or harmless == "x"
    assert both.page({"server": harmless}, block, "PK") is None


def test_a_network_s_page_says_more_than_a_product_s() -> None:
    both = Fingerprints([made("contains", "deny", "prod", name="a"), made("contains", "denied", name="z")], "")
    found = both.page({}, "denied", "PK")
    assert found is not None
    assert found.name == "z"


def test_a_hostile_page_of_ten_megabytes_is_read_once(tmp_path: Path) -> None:
    """Patterns that make a backtracking engine take ages: (a+)+b on a text without b."""
    (tmp_path / "f.csv").write_text(HEAD + "slow,nat,body,regexp,(a+)+b,\nother,nat,body,contains,needle,\n")
    found = load_fingerprints((tmp_path / "f.csv",))
    assert found.page({}, "a" * 10_000_000, "PK") is None
    assert found.page({}, "a" * 10_000_000 + "needle", "PK") is not None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.csv", "name,scope\n", "f.csv:1: the column 'location_found' is missing"),
        ("f.csv", HEAD + "a,nat,body,wild,x,\n", "f.csv:2: pattern_type is 'wild'"),
        ("f.csv", HEAD + "a,nat,body,contains,fine,\nb,nat,body,regexp,(,\n", "f.csv:3: not an expression"),
        ("f.csv", HEAD + "a,nat,body,regexp,(a)\\1,\n", "f.csv:2: not an expression"),
        ("f.csv", HEAD + "a,nat,body,contains,,\n", "f.csv:2: the pattern must have"),
        ("f.json", '{"fingerprint": "a", "pattern": "b"}\n{"fingerprint": 1}\n', "f.json:2: needs `fingerprint`"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_line(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ReferenceDataError, match=re.escape(message)):
        load_fingerprints((tmp_path / name,))


@given(content=st.binary(max_size=200), name=st.sampled_from(("f.csv", "f.json")))
def test_no_file_raises_anything_else(content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    with contextlib.suppress(ReferenceDataError):
        load_fingerprints((path,))


# ---- the field's own lists and pages -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signatures(data: Path) -> Fingerprints:
    folder = data / "censoredplanet"
    return load_fingerprints((folder / "blockpage_signatures.json", folder / "false_positive_signatures.json"))


def answers(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers in a row of Satellite v2, Hyperquack v1 or v2."""
    parts = [row.get("http"), row.get("https")]
    parts += [part.get("response") for part in row.get("response", ())]
    parts += [part.get("Received") for part in row.get("Results", ())]
    return [part for part in parts if isinstance(part, dict)]


def matched(found: Fingerprints, path: Path) -> dict[str, set[str]]:
    """By name asked for: the signatures that its answers match."""
    seen: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        name = row.get("keyword") or row.get("test_url") or row.get("Keyword")
        for answer in answers(row):
            headers = {key.lower(): values[0] for key, values in (answer.get("headers") or {}).items() if values}
            match = found.page(headers, answer.get("body") or "", "CN")
            seen.setdefault(name, set()).update([match.name] if match else [])
    return seen


def test_pages_of_hyperquack_match_where_it_saw_an_anomaly_only(signatures: Fingerprints, data: Path) -> None:
    http = matched(signatures, data / "censoredplanet" / "Quack-http_v2" / "http_results_v2.json")
    assert http == {"104.com.tw": {"d_corp_cn_ucloud"}, "1337x.to": {"f_gen_access_denied"}}
    for folder in ("Quack-https_v1/https_results_v1.json", "Quack-https_v2/https_results_v2.json"):
        assert not any(matched(signatures, data / "censoredplanet" / folder).values()), folder


def test_genuine_pages_and_errors_of_servers_match_nothing(signatures: Fingerprints, data: Path) -> None:
    folder = data / "censoredplanet" / "Satellitev2-2021-10-20"
    for name in ("blockpages.json", "control_pages.json"):
        seen = matched(signatures, folder / name)
        assert seen
        assert not any(seen.values()), name


def test_the_list_of_false_positives_is_what_keeps_them_out(data: Path) -> None:
    """Without it an "Access Denied" of a web server of the site's own would look like a block page."""
    alone = load_fingerprints((data / "censoredplanet" / "blockpage_signatures.json",))
    assert (
        "f_gen_access_denied"
        in matched(alone, data / "censoredplanet/Quack-https_v1/https_results_v1.json")["discover.com"]
    )


def test_names_tell_whose_page_it_is_and_where(signatures: Fingerprints) -> None:
    scopes = {item.name: (item.scope, item.countries) for item in signatures.fingerprints}
    assert scopes["d_corp_cn_ucloud"] == ("inst", ())
    assert {scope for scope, _ in scopes.values()} == {"prod", "nat", "isp", "inst", "unk", "gen", "fp"}
    assert all(countries for scope, countries in scopes.values() if scope in ("nat", "isp"))
    assert not any("UK" in countries for _, countries in scopes.values())
    national = [countries for scope, countries in scopes.values() if scope == "nat" and countries]
    assert len(national) > 50
    assert all(len(code) == 2 and code.isupper() for (code,) in national)


def test_every_fingerprint_of_ooni_is_usable_and_names_what_it_is_made_of(data: Path) -> None:
    paths = tuple(sorted((data / "ooni" / "fingerprints").glob("*.csv")))
    found = load_fingerprints(paths)
    count = 0
    for path in paths:
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                count += 1
                if row["location_found"] == "body" and row["pattern_type"] == "contains" and row["scope"] != "fp":
                    names = [item.name for item in found._found("body", f"<p>{row['pattern']}</p>")]
                    assert row["name"] in names
    assert count == len(found.fingerprints)
