"""The one layout of a case's files: nothing said is lost, and what is in it stays as it is."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import UsageError
from kholo.record.format import CASE, ENTRY
from kholo.record.schema import schemas
from kholo.record.write import formatted, value_text
from kholo.reference import load_reference

from .broken_case import FILES

ROOT = Path(__file__).parents[1]
SHIPPED = sorted([*(ROOT / "cases").glob("*/case.toml"), *(ROOT / "cases").glob("*/entries/*.toml")])
SERVICES = load_reference().services.ids

UNTIDY = '''\
# Licence: CC BY 4.0

[obligation]   # what it orders
due = 2025-03-22T05:00:00+05:00
"service" = 'chirp'
state="ok"
place = "ZZ"

# the record itself
[[ source ]]
read = 2025-06-01  # by A.
# the paper
publisher = "The Zed Times"
address = """https://news.example/order"""
[[source]]
publisher = "Radio \\"Zed\\""
read = 2025-06-02
[unknown.deep]
"odd key" = [1, 2]
'''
UNTIDY_ABOVE = """\
stays = [
  # the first one
  "a",  # of March
  "b",
  # no more are known
]
summary = "Zo\u0065\u0308 said so."
id="order"
# the last word
"""


def test_keys_are_put_in_order_and_comments_stay_with_their_keys() -> None:
    head, _, rest = UNTIDY.partition("\n\n")
    assert (
        formatted(f"{head}\n\n{UNTIDY_ABOVE}{rest}", ENTRY)
        == """\
# Licence: CC BY 4.0

id = "order"
summary = "Zo\u00eb said so."
stays = [
  # the first one
  "a",  # of March
  "b",
  # no more are known
]

# the record itself
[[source]]
address = "https://news.example/order"
# the paper
publisher = "The Zed Times"
read = 2025-06-01  # by A.

[[source]]
publisher = "Radio \\"Zed\\""
read = 2025-06-02

# the last word
[obligation]  # what it orders
service = "chirp"
place = "ZZ"
state = "ok"
due = 2025-03-22T05:00:00+05:00

[unknown]

[unknown.deep]
"odd key" = [1, 2]
"""
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_cases_are_in_the_layout(path: Path) -> None:
    assert formatted(path.read_text(), CASE if path.name == "case.toml" else ENTRY) == path.read_text()


@pytest.mark.parametrize("text", ['id = "a', "= 1", "a = [", "[a]\n[a]", "a.b.c.d.e.f.g.h.i.j = 1"])
def test_what_is_no_toml_is_left_alone(text: str) -> None:
    with pytest.raises(UsageError, match="left as it is"):
        formatted(text, ENTRY)


def test_a_comment_that_has_no_place_is_not_dropped() -> None:
    with pytest.raises(UsageError, match="# of March"):
        formatted('stays = [\n  ["a",  # of March\n  "b"]]\n', ENTRY)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(st.sampled_from("ab\"'\\\n \t"))
plain = texts | st.booleans() | st.integers(-5, 5) | st.dates() | st.datetimes() | st.lists(texts, max_size=4)
keys = st.sampled_from([*ENTRY.names[:14], "odd key", "a.b", "ا", ""]) | st.text(
    st.sampled_from('ab-_."\\ '), max_size=4
)
tables = st.dictionaries(keys, plain, max_size=4)
files = st.dictionaries(keys, plain | tables | st.lists(tables, min_size=1, max_size=3), max_size=6)


def tidy(value: Any) -> Any:
    """As reading takes it: texts in NFC without blanks around."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.strip())
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return {key: tidy(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(files)
def test_whatever_is_written_is_read_back_the_same_and_stays(values: dict[str, Any]) -> None:
    source = "".join(
        f"{json.dumps(key)} = {value_text(value)}\n".replace("\x7f", "\\u007f") for key, value in values.items()
    )
    once = formatted(source, ENTRY)
    assert tomllib.loads(once) == tidy(values)
    assert formatted(once, ENTRY) == once


@given(
    st.lists(st.sampled_from(["# one", "# دو", "", 'id = "a"', "[[source]]", 'k = ["x", # in', '"y"]', "[stay] # s"]))
)
def test_no_comment_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        once = formatted(text, ENTRY)
    except UsageError:
        return
    assert sorted(part for part in once.split() if part.startswith("#")) == sorted(
        part for part in text.split() if part.startswith("#")
    )
    assert formatted(once, ENTRY) == once


def as_json(value: Any) -> Any:
    """As an editor's checker sees a file: dates are texts."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return {key: as_json(item) for key, item in value.items()} if isinstance(value, dict) else value


def errors(name: str, text: str) -> list[str]:
    """What an editor would mark."""
    schema = json.loads((ROOT / "docs" / "schema" / name).read_text())
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(as_json(tomllib.loads(text)))]


@pytest.mark.parametrize("name", ["case.schema.json", "entry.schema.json"])
def test_the_shipped_schema_is_current(name: str) -> None:
    shipped = json.loads((ROOT / "docs" / "schema" / name).read_text())
    assert shipped == schemas(SERVICES)[name], "write it anew: kholo case schema --out docs/schema"
    jsonschema.Draft7Validator.check_schema(shipped)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_schema_accepts_the_shipped_cases(path: Path) -> None:
    assert errors("case.schema.json" if path.name == "case.toml" else "entry.schema.json", path.read_text()) == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".toml")])
def test_the_schema_accepts_every_kind_of_entry(name: str) -> None:
    schema = "case.schema.json" if name == "case.toml" else "entry.schema.json"
    assert errors(schema, FILES[name]) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("denial", "summary =", "sumary ="),
        ("denial", '"denial"\ndate', '"denail"\ndate'),
        ("denial", "date = 2025-03-12\nactor", 'date = "soon"\nactor'),
        ("denial", "date = 2025-03-12\nactor", "date = 2025-03-12\nlatest = 2025-03-13\nactor"),
        ("denial", "date = 2025-03-12\nactor", "earliest = 2025-03-12\nactor"),
        ("denial", "sha256 =", "# sha256 ="),
        ("denial", "AS64501", "64501"),
        ("denial", 'state = "ok"', 'state = "down"'),
        ("order", 'kind = "order"', 'kind = "filing"'),
        ("stay", 'stays = ["order"]\n', ""),
        ("vote", 'event = "election"', 'event = "elections"'),
    ],
)
def test_the_schema_marks_mistakes(name: str, old: str, new: str) -> None:
    text = FILES[f"entries/{name}.toml"]
    assert text.count(old) == 1
    assert errors("entry.schema.json", text.replace(old, new))
