"""What is served of verdicts is what `kholo verdicts` says, whatever comes twice, in any order, and while it grows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.model import Evidence, Grade, Locus, State, StoreError, Verdict
from kholo.pipeline.verdicts import PUBLIC, one_each
from kholo.pipeline.work import verdict_row
from kholo.serve import cursors, formats
from kholo.serve.cursors import Cursor
from kholo.serve.fill import fill, state_of
from kholo.serve.index import HASH_BITS, VERDICTS, Current, Place, hash_of, key_of, opened
from kholo.serve.limits import Left, Limits, known_as, network_of
from kholo.serve.problems import Problem
from kholo.serve.read import Index, after, span_of
from kholo.store import Store, rows, write_parquet

FIRST = datetime(2024, 2, 17, tzinfo=UTC)
SET = "aaaa-bbbb"
Made = tuple[Verdict, str]


def verdict(
    number: int, hour: int, state: State, grade: Grade, network: int, text: str | None = None, *, simulated: bool
) -> Verdict:
    return Verdict(
        measurement_uid=f"uid-{number}", input=text, test_name="web_connectivity",
        measured_at=FIRST + timedelta(hours=hour), service="x" if number % 3 else None, place="PK",
        network=f"AS{network}", state=state, layer=None, mechanism=None, also=("dns.bogon",) if number % 2 else (),
        reachable=None, locus=Locus.UNKNOWN, evidence=Evidence.STRONG, grade=grade, rule_id=f"rule.{state}",
        ruleset="aaaa", reference="bbbb", simulated=simulated,
    )  # fmt: skip


INPUTS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)
VERDICTS_MADE = st.builds(
    verdict, st.integers(0, 12), st.integers(0, 5), st.sampled_from(State), st.sampled_from([Grade.A, Grade.B]),
    st.integers(1, 3), INPUTS,
    simulated=st.booleans(),
)  # fmt: skip
PARTS = st.lists(st.lists(st.tuples(VERDICTS_MADE, st.sampled_from(["c1", "c2", "c3"])), max_size=8), max_size=6)


def consistent(parts: Sequence[Sequence[Made]]) -> list[list[Made]]:
    """One content of one id says one thing, as it does in a store: the content is made from it."""
    known: dict[tuple[str, str, str], Verdict] = {}
    return [
        [(known.setdefault((one.measurement_uid, one.grade, content), one), content) for one, content in part]
        for part in parts
    ]


def write(folder: Path, parts: Iterable[Sequence[Made]], begin: int = 0) -> list[Path]:
    files = []
    for number, part in enumerate(parts, begin):
        path = folder / f"part{number}.parquet"
        write_parquet("verdicts", b"".join(verdict_row(one, content, "r") for one, content in part), path)
        files.append(path)
    return files


def counted(store: Store, files: list[Path]) -> list[dict[str, Any]]:
    with store.connect() as db:
        store.view(db, "verdicts", files)
        one_each(db, "verdicts", "judged")
        return list(rows(db.execute(f"SELECT {', '.join(PUBLIC)} FROM judged")))


class Page(NamedTuple):
    rows: list[dict[str, Any]]
    after: int | None


class Served:
    """An index over parts that are given one after the other."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store", create=True)
        self.place = Place(folder / "served")
        self.place.folder.mkdir()
        self.folder = folder / "verdicts"
        self.files: list[Path] = []
        path = self.place.folder / "verdicts-x.sqlite"
        opened(path, is_new=True, schema=VERDICTS).close()
        self.path = path
        self.index = Index(self.place.folder)
        self.current = Current("", "", "", FIRST)

    def add(self, parts: Sequence[Sequence[Made]]) -> Current:
        self.files += write(self.folder, parts, len(self.files))
        db = opened(self.path)
        generation = fill(db, self.store, self.files)
        db.close()
        names = [path.stem for path in self.files]
        self.current = Current("", "", "", FIRST, self.path.name, state_of(SET, names), generation, SET)
        self.place.publish(self.current)
        return self.current

    def page(
        self, current: Current, limit: int, key: int | None = None, *, newest: bool = False, **wanted: Any
    ) -> Page:
        span = span_of(None, None, newest_first=newest)
        found = self.index.verdicts(current, wanted, span if key is None else after(span, key), limit)
        return Page([msgspec.json.decode(row) for row in found.rows], found.after)


def as_set(found: Iterable[dict[str, Any]]) -> list[bytes]:
    return sorted(msgspec.json.encode(row) for row in found)


@settings(max_examples=40)
@given(PARTS, st.randoms(use_true_random=False))
def test_the_index_counts_as_the_pipeline_does_in_any_order(made: list[list[Made]], dice: Any) -> None:
    parts = consistent(made)
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder))
        order = list(parts)
        dice.shuffle(order)
        for part in order:
            served.add([part])
        wanted = counted(served.store, served.files)
        current = served.add([])
        found = [row for flag in (False, True) for row in served.page(current, 1_000, simulated=flag).rows]
        assert as_set(found) == as_set(wanted)
        for row in wanted:
            held = served.index.verdict(current, row["measurement_uid"])
            assert held is not None
            assert bytes(held.row) == msgspec.json.encode(row)
            assert set(held.parts) == {
                f"part{number}" for number, part in enumerate(order)
                if any(one.measurement_uid == row["measurement_uid"] for one, _ in part)
            }  # fmt: skip


@settings(max_examples=30)
@given(PARTS, PARTS, st.integers(1, 3), st.booleans())
def test_a_walk_over_a_growing_store_shows_it_as_it_was_at_the_first_page(
    before: list[list[Made]], later: list[list[Made]], limit: int, newest: bool
) -> None:
    parts = consistent([*before, *later])
    before, later = parts[: len(before)], parts[len(before) :]
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder))
        first = served.add(before)
        whole = served.page(first, 1_000, newest=newest, simulated=True).rows
        walked: list[dict[str, Any]] = []
        key = None
        while True:
            page = served.page(first, limit, key, newest=newest, simulated=True)
            walked += page.rows
            key = page.after
            if later:
                served.add([later.pop()])
            if key is None:
                break
        assert walked == whole
        assert [row["measured_at"] for row in walked] == sorted(
            (row["measured_at"] for row in walked), reverse=newest
        )  # fmt: skip


def test_many_groups_are_gone_through_in_time_and_a_page_may_be_short(tmp_path: Path) -> None:
    served = Served(tmp_path)
    part = [
        (verdict(number, number // 40, state, Grade.A, number % 1_500, simulated=True), "c")
        for number in range(6_000)
        for state in [State.OK if number % 500 else State.DOWN]
    ]
    current = served.add([part])
    wanted = sorted((row for row, _ in part), key=lambda row: row.measured_at)
    for newest in (False, True):
        walked, key = [], None
        while True:
            page = served.page(current, 700, key, newest=newest, simulated=True)
            walked += page.rows
            if (key := page.after) is None:
                break
        assert len({row["measurement_uid"] for row in walked}) == len(walked) == 6_000
        moments = [f"{row.measured_at:%Y-%m-%dT%H:%M:%SZ}" for row in (reversed(wanted) if newest else wanted)]
        assert [row["measured_at"] for row in walked] == moments
    down = served.page(current, 100, simulated=True, state="down").rows
    assert {row["measurement_uid"] for row in down} == {f"uid-{number}" for number in range(0, 6_000, 500)}


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, Current, list[dict[str, Any]]]:
    """Groups of very different sizes, in bursts; some measurements are known twice, so that rows have died."""
    served = Served(tmp_path_factory.mktemp("lopsided"))
    states = [State.OK] * 30 + [State.DOWN, State.BLOCKED, State.BLOCKED]
    part = [
        (verdict(number, number // 90 + number % 3, states[number * 7 % 33], Grade.B,
                 1 if number % 9 else number % 5, simulated=number % 11 > 0), f"c{number}")
        for number in range(900)
    ]  # fmt: skip
    again = [
        (verdict(number, number // 90, State.DOWN, Grade.A, 2, simulated=True), f"d{number}")
        for number in range(0, 900, 13)
    ]
    served.add([part])
    current = served.add([again])
    return served, current, [msgspec.to_builtins(row) for row in counted(served.store, served.files)]


@given(
    st.integers(1, 60), st.booleans(), st.booleans(),
    st.fixed_dictionaries({}, optional={
        "network": st.sampled_from(["AS0", "AS1", "AS2", "AS4"]), "state": st.sampled_from(["ok", "down", "blocked"]),
        "service": st.just("x"), "place": st.just("PK"),
    }),
)  # fmt: skip
def test_pages_of_groups_of_any_size_leave_nothing_out(
    lopsided: tuple[Served, Current, list[dict[str, Any]]], limit: int, newest: bool, simulated: bool,
    wanted: dict[str, str],
) -> None:  # fmt: skip
    served, current, rows_ = lopsided
    asked = {**wanted, "simulated": simulated}
    walked, key = [], None
    while True:
        page = served.page(current, limit, key, newest=newest, **asked)
        assert len(page.rows) == limit or page.after is None
        walked += page.rows
        if (key := page.after) is None:
            break
    right = [row for row in rows_ if all(row[name] == value for name, value in asked.items())]
    assert as_set(walked) == as_set(right)
    moments = [row["measured_at"] for row in walked]
    assert moments == sorted(moments, reverse=newest)


def test_two_ids_of_one_key_are_both_there(tmp_path: Path) -> None:
    served = Served(tmp_path)
    one = verdict(1, 1, State.OK, Grade.A, 1, simulated=False)
    served.add([[(one, "c1")]])
    db = opened(served.path)
    key = key_of(int(FIRST.timestamp() + 7_200) * 1_000_000, hash_of("uid-2"))
    db.execute("UPDATE verdicts SET key = ?", (key,))
    db.close()
    current = served.add([[(verdict(2, 2, State.OK, Grade.A, 1, simulated=False), "c1")]])
    assert [row["measurement_uid"] for row in served.page(current, 9, simulated=False).rows] == ["uid-1", "uid-2"]


@given(st.integers(-(1 << 62), 1 << 62), st.text())
def test_keys_lie_in_the_order_of_time(micros: int, uid: str) -> None:
    key = key_of(micros, hash_of(uid))
    assert 0 <= key < 1 << 63
    assert key >> HASH_BITS == min(max(micros // 1_000_000, 0), (1 << 34) - 1)


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no index"):
        Index(tmp_path).current()
    (tmp_path / "current.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        Index(tmp_path).current()


@given(st.one_of(st.integers(), st.text(max_size=50)), st.integers(0, 1 << 40), st.text(), st.text())
def test_a_cursor_is_good_for_its_query_only(key: int | str, generation: int, query: str, other: str) -> None:
    cursor = Cursor(key if isinstance(key, str) else key % (1 << 63), generation)
    text = cursors.write(cursor, query)
    assert cursors.read(text, query) == cursor
    if other != query:
        with pytest.raises(Problem):
            cursors.read(text, other)


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_a_problem(text: str) -> None:
    with pytest.raises(Problem):
        cursors.read(text, "q")


def test_a_bucket_fills_again_and_counts_a_whole_ipv6_line_as_one() -> None:
    now = [0.0]
    limits = Limits(2.0, lambda: now[0])

    def take(client: str) -> tuple[bool, Left]:
        return limits.take(known_as(client, b"salt"))

    assert [take("2001:db8::1")[0] for _ in range(20)] == [True] * 20
    is_fine, left = take("2001:db8::2")
    assert (is_fine, left.remaining, left.wait, left.full) == (False, 0, 1, 10)
    assert take("2001:db8:0:1::1")[0]
    now[0] = 0.5
    assert take("2001:db8::3")[0]
    assert not take("2001:db8::3")[0]
    # What a socket that takes both kinds calls the clients of the older one.
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("::ffff:192.0.2.2")


@given(st.text())
def test_json_says_the_same_and_hides_nothing(text: str) -> None:
    written = formats.json_bytes({"t": text})
    assert msgspec.json.decode(written) == {"t": text}
    assert not set(written.decode()) & set("<>&\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2028\x7f")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "json"), ("*/*", "json"), ("text/csv", "csv"), ("text/*", "csv"), ("application/x-ndjson", "jsonl"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"), ("text/html, */*;q=0.1", "json"),
        ("application/json;q=0, */*", "jsonl"), ("text/csv;q=x, application/json", "json"),
    ],
)  # fmt: skip
def test_the_format_that_is_wanted_most(accept: str, wanted: str) -> None:
    assert formats.chosen(accept, None, ("json", "jsonl", "csv")) == wanted


@pytest.mark.parametrize(
    "accept", ["image/png", "application/json;q=0", "text/html,application/xhtml+xml", ";", "*/*;q=nan"]
)
def test_a_format_that_is_not_there(accept: str) -> None:
    with pytest.raises(Problem):
        formats.chosen(accept, None, ("json", "jsonl", "csv"))
