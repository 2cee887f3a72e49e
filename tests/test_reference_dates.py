"""Reference data with dates: what is in force on the day of the measurement decides, and nothing else does."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.judge import Judge, Ruleset, load_ruleset
from kholo.judge.facts import BITS
from kholo.judge.ruleset import SHIPPED as RULES
from kholo.model import IMPAIRED, Measurement, ReferenceDataError, UsageError, Verdict
from kholo.observe import observe
from kholo.pipeline import sets
from kholo.pipeline.ingest import ingest
from kholo.reference import Services, load_reference, load_services, load_test_lists
from kholo.reference.bogons import SHIPPED as BOGONS
from kholo.reference.bogons import Bogons, load_bogons
from kholo.reference.dated import Dated
from kholo.reference.services import SHIPPED as SERVICES
from kholo.reference.snapshots import Kind, New, Snapshot, add, find
from kholo.reference.testlists import read_test_lists
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store

from . import raw
from .conftest import NOW
from .raw import HOST, IP, connect, control, exchange, handshake, query
from .test_rules_hold import everything

HTTP = f"http://{HOST}/"
HEAD = "name,scope,location_found,pattern_type,pattern,expected_countries\n"
LIST_HEAD = "url,category_code,category_description,date_added,source,notes\n"
FIRST, SECOND = date(2024, 1, 1), date(2024, 3, 1)
#: The same page, before both snapshots, between them, and after.
DAYS = ("2020-06-01", "2024-02-17", "2024-03-01")


def page(word: str) -> bytes:
    """A list of fingerprints with one page on it."""
    return f"{HEAD}{word},nat,body,contains,{word},PK\n".encode()


def keep(store: Path, data: bytes, begins: date, kind: Kind = "fingerprints", name: str = "list.csv") -> Snapshot:
    new = New(kind, [(name, data)], ("a test",), begins, datetime(2024, 5, 1, tzinfo=UTC), "none")
    snapshot, _ = add(store / "reference", new)
    return snapshot


def kholo(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def states(store: Path, *options: object) -> list[str]:
    return [row["state"] for row in rows(kholo("verdicts", "--store", store, "--json", *options))]


def notice(number: int, day: str, word: str) -> bytes:
    plain = {"tcp_connect": [connect(port=80)], "tls_handshakes": []}
    return raw.encode(
        raw.measurement(
            HTTP,
            measurement_uid=f"{day.replace('-', '')}180000.{number:06}_PK_webconnectivity_0123456789abcdef",
            measurement_start_time=f"{day} 18:00:00",
            requests=[exchange(HTTP, body=f"<p>{word}</p>")],
            **plain,
        )
    )


def make(folder: Path, *snapshots: tuple[bytes, date], workers: int = 1) -> Path:
    """A store with snapshots of fingerprints, and each of two notices on three days."""
    store = folder / "store"
    opened = Store(store, create=True)
    for data, begins in snapshots:
        keep(store, data, begins)
    lines = [notice(10 * place + number, day, word) for place, day in enumerate(DAYS)
             for number, word in enumerate(("alpha", "beta"))]  # fmt: skip
    (folder / "input.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    ingest(opened, [folder / "input.jsonl"], None, NOW, workers)
    return store


BOTH = ((page("alpha"), FIRST), (page("beta"), SECOND))


def test_the_fingerprints_of_the_day_decide_and_before_the_first_the_first(tmp_path: Path) -> None:
    store = make(tmp_path, *BOTH)
    alpha, beta = ["blocked", "insufficient"], ["insufficient", "blocked"]
    assert states(store) == alpha + alpha + beta


def test_the_order_of_the_snapshots_and_the_workers_make_no_difference(tmp_path: Path) -> None:
    made = []
    for name, snapshots, workers in (("a", BOTH, 1), ("b", BOTH[::-1], 2)):
        (tmp_path / name).mkdir()
        store = make(tmp_path / name, *snapshots, workers=workers)
        made.append(rows(kholo("verdicts", "--store", store, "--json")))
    assert made[0] == made[1]


def test_fingerprints_of_files_hold_on_all_days(tmp_path: Path) -> None:
    store = make(tmp_path, *BOTH)
    (tmp_path / "more.csv").write_bytes(page("beta"))
    assert states(store, "--fingerprints", tmp_path / "more.csv") == ["blocked"] * 4 + ["insufficient", "blocked"]


def test_an_update_makes_a_new_set_and_diff_tells_why(tmp_path: Path) -> None:
    store = make(tmp_path, BOTH[0])
    (before,) = sets.names(Store(store))
    keep(store, *BOTH[1])
    changed = rows(kholo("diff", "--store", store, "--from", before, "--json"))
    assert [(row["before"]["state"], row["after"]["state"]) for row in changed] == [
        ("blocked", "insufficient"),
        ("insufficient", "blocked"),
    ]
    assert [row["why"] for row in changed] == ["no longer seen: http.blockpage", "now seen: http.blockpage"]
    assert states(store, "--set", before) == ["blocked", "insufficient"] * 3
    (made,) = rows(kholo("rejudge", "--store", store, "--workers", 2, "--json"))
    assert made["is_shipped"]
    assert states(store, "--set", made["set"]) == states(store)


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    store = make(tmp_path, *BOTH)
    said = rows(kholo("verdicts", "--store", store, "--json"))
    moved = tmp_path / "elsewhere" / "of its own"
    moved.parent.mkdir()
    store.rename(moved)
    shutil.rmtree(moved / "verdicts")
    assert rows(kholo("verdicts", "--store", moved, "--json")) == said
    assert rows(kholo("verdicts", "--store", moved, "--set", sets.names(Store(moved))[0], "--json")) == said


def test_without_snapshots_the_reference_data_are_those_that_are_shipped(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shipped = load_reference()
    assert load_reference((), tmp_path / "empty").digest == shipped.digest
    assert load_reference((), tmp_path / "none").files == shipped.files


def test_test_lists_decide_nothing(tmp_path: Path) -> None:
    lists = f"{LIST_HEAD}https://x.com/,GRP,Social,2014-04-15,,\n".encode()
    store = make(tmp_path, BOTH[0])
    before = sets.judge_for(Store(store)).reference.digest
    keep(store, lists, FIRST, "test-lists", "pk.csv")
    assert sets.judge_for(Store(store)).reference.digest == before
    (listed,) = load_test_lists(store / "reference").on(SECOND).of("HTTPS://X.com")
    assert str(listed) == "on the test list of PK, category GRP (Social)"


def test_the_same_again_adds_nothing_and_a_day_keeps_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    first = keep(tmp_path / "store", *BOTH[0])
    assert keep(tmp_path / "store", page("alpha"), SECOND) == first
    with pytest.raises(UsageError, match="in force from 2024-01-01 on"):
        keep(tmp_path / "store", page("beta"), FIRST)
    keep(tmp_path / "store", page("beta"), SECOND)
    # What held before may come back.
    keep(tmp_path / "store", page("alpha"), date(2024, 4, 1))
    found = [one.snapshot for one in find(tmp_path / "store" / "reference")]
    assert [one.in_force_from for one in found] == [FIRST, SECOND, date(2024, 4, 1)]
    assert found[0].files == found[2].files


@given(st.lists(st.dates(), min_size=1, unique=True), st.dates())
def test_what_began_last_is_in_force(days: list[date], asked: date) -> None:
    made: Dated[date] = Dated([(day, lambda day=day: day) for day in days])  # type: ignore[misc]
    assert made.on(asked) == max([day for day in days if day <= asked], default=min(days))


@pytest.mark.parametrize(
    ("kind", "name", "data", "said"),
    [
        ("fingerprints", "list.csv", HEAD.encode() + b"x,nat,body,regexp,(,PK\n", "list.csv:2: not an expression"),
        ("fingerprints", "list.csv", b"not,a,list\n", "list.csv:1: the column 'name' is missing"),
        ("networks", "table.tsv", b"1.0.0.0\t24\t1\n1.0.0.0\t40\t1\n", "table.tsv:2: "),
        ("test-lists", "global.csv", b"url\nhttps://x.com/\n", "global.csv:1: the column 'category_code'"),
        ("test-lists", "readme.csv", b"x", "readme.csv: a test list is named"),
    ],
)
def test_what_can_not_be_used_is_not_kept(tmp_path: Path, kind: Kind, name: str, data: bytes, said: str) -> None:
    with pytest.raises(ReferenceDataError) as error:
        keep(tmp_path, data, FIRST, kind, name)
    assert str(error.value).startswith(said)
    assert list((tmp_path / "reference").iterdir()) == []


@pytest.mark.parametrize("name", ["../list.csv", ".hidden", "snapshot.json", "a/b.csv", "", "a\nb", "networks.ranges"])
def test_no_file_gets_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="plain name"):
        keep(tmp_path, page("alpha"), FIRST, name=name)


def _edit(head: Path, change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads(head.read_bytes())
    change(said)
    head.write_text(json.dumps(said))


BREAK: dict[str, Callable[[Path], object]] = {
    "a file is gone": lambda folder: (folder / "list.csv").unlink(),
    "a file has changed": lambda folder: (folder / "list.csv").write_bytes(page("omega")),
    "a file has grown": lambda folder: (folder / "list.csv").write_bytes(page("alphabet")),
    "the head is gone": lambda folder: (folder / "snapshot.json").unlink(),
    "the head is no JSON": lambda folder: (folder / "snapshot.json").write_text("{"),
    "the day has changed": lambda folder: _edit(
        folder / "snapshot.json", lambda said: said.update(in_force_from="2019-01-01")
    ),
    "a name leads elsewhere": lambda folder: _edit(
        folder / "snapshot.json", lambda said: said["files"][0].update(name="../../input.jsonl")
    ),
    "it has another name": lambda folder: folder.rename(folder.with_name("0123456789abcdef")),
    "it is a file": lambda folder: (folder.with_name("notes.txt")).write_text("mine"),
}


@pytest.mark.parametrize("how", BREAK)
def test_a_broken_snapshot_is_one_clear_message(tmp_path: Path, how: str) -> None:
    store = make(tmp_path, BOTH[0])
    shutil.rmtree(store / "verdicts")
    BREAK[how](store / "reference" / find(store / "reference")[0].snapshot.digest)
    for command in (
        ("verdicts",),
        ("ingest", tmp_path / "input.jsonl"),
        ("ingest", tmp_path / "input.jsonl", "--workers", 2),
    ):
        done = kholo(*command, "--store", store)
        assert isinstance(done.exception, ReferenceDataError)
        assert str(done.exception).startswith(str(store / "reference"))
        assert "not a usable snapshot of reference data" in str(done.exception)


@given(
    st.binary(max_size=120)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=9),
        lambda some: st.lists(some) | st.dictionaries(st.sampled_from([*Snapshot.__struct_fields__, "name"]), some),
    ).map(lambda said: json.dumps(said).encode())
)
def test_no_head_does_more_than_be_refused(head: bytes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name) / "0123456789abcdef"
        folder.mkdir()
        (folder / "snapshot.json").write_bytes(head)
        with pytest.raises(ReferenceDataError, match="not a usable snapshot"):
            find(Path(name))


@given(st.binary(max_size=200) | st.text(max_size=99).map(lambda more: f"{LIST_HEAD}https://x.com/,{more}".encode()))
def test_no_bytes_of_a_test_list_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(ReferenceDataError):
        assert read_test_lists([("pk.csv", data)]).of("https://other.example/") == ()


def test_a_set_whose_snapshot_is_gone_says_so(tmp_path: Path) -> None:
    store = make(tmp_path, BOTH[0])
    (name,) = sets.names(Store(store))
    shutil.rmtree(store / "reference")
    with pytest.raises(ReferenceDataError, match=r"rests on the snapshot \w{16}, which is not in"):
        sets.load(Store(store), name)


# ---- tables of networks --------------------------------------------------------------------------------------------

LIE = "203.0.114.9"
#: As old test helpers and probes wrote it: nothing says in which networks addresses are.
OLD: dict[str, Any] = {"ip_info": {}}


def judged(judge: Judge, data: bytes) -> list[tuple[Measurement, Verdict]]:
    found = [one for one in registry.decode(Item("test", 1, data), Context(NOW)) if isinstance(one, tuple)]
    return [
        (measurement, judge.verdict(measurement, observe(payload, measurement.input))) for measurement, payload in found
    ]


def with_table(folder: Path, *lines: str) -> Judge:
    keep(folder, "".join(f"{line}\n" for line in lines).encode(), FIRST, "networks", f"table{len(lines)}.tsv")
    return Judge(load_ruleset(), load_reference((), folder / "reference"))


def wrong_answer(**more: Any) -> bytes:
    """The resolver gives an address that does not serve the name; an encrypted lookup finds the one that does."""
    return raw.encode(
        raw.measurement(
            queries=[query(None, LIE, asn=0), query(None, IP, engine="doh", asn=0)],
            tcp_connect=[connect(ip=LIE), connect()],
            tls_handshakes=[handshake("ssl_unknown_authority", ip=LIE), handshake()],
            requests=[],
            control=control(**OLD, **more),
        )
    )


def test_a_table_takes_a_blocked_back_where_the_measurement_says_nothing(tmp_path: Path, judge: Judge) -> None:
    def rule(by: Judge, data: bytes) -> tuple[str, str]:
        ((_, verdict),) = judged(by, data)
        return verdict.state, verdict.rule_id

    together = with_table(tmp_path / "a", f"{IP}\t32\t15133", f"{LIE}\t32\t15133")
    apart = with_table(tmp_path / "b", f"{IP}\t32\t15133", f"{LIE}\t32\t4134")
    unknown = with_table(tmp_path / "c", f"{IP}\t32\t15133")
    assert rule(judge, wrong_answer()) == ("blocked", "dns.wrong_answer")
    assert rule(apart, wrong_answer()) == rule(unknown, wrong_answer()) == ("blocked", "dns.wrong_answer")
    assert rule(together, wrong_answer())[1] != "dns.wrong_answer"
    # What the measurement says itself stands.
    said = json.loads(wrong_answer())
    said["test_keys"]["queries"][0]["answers"][0]["asn"] = 4134
    said["test_keys"]["control"]["ip_info"] = {IP: {"asn": 15133, "flags": 11}}
    assert rule(together, raw.encode(said)) == ("blocked", "dns.wrong_answer")


def test_a_table_never_puts_an_answer_into_the_probes_network(tmp_path: Path, judge: Judge) -> None:
    """That a page which denies access comes from the person's own network is what makes a block of it by DNS."""

    def denied(asn: int) -> bytes:
        return raw.encode(
            raw.measurement(
                HTTP,
                queries=[query(None, LIE, asn=asn)],
                tcp_connect=[connect(ip=LIE, port=80)],
                tls_handshakes=[],
                requests=[exchange(HTTP, body="<title>Access denied</title>", ip=LIE)],
                control=control(**OLD),
            )
        )

    table = with_table(tmp_path, f"{LIE}\t32\t64496")
    assert [verdict.rule_id for _, verdict in judged(judge, denied(64496))] == ["dns.blockpage"]
    rules = [verdict.rule_id for by in (judge, table) for _, verdict in judged(by, denied(0))]
    assert rules[0] == rules[1] != "dns.blockpage"


def _without_networks(data: bytes) -> bytes:
    """The measurement as an old probe and an old test helper would have written it."""
    said = json.loads(data)
    keys = said.get("test_keys") or {}
    for answer in (answer for row in keys.get("queries") or () for answer in row.get("answers") or ()):
        answer.pop("asn", None)
    if isinstance(keys.get("control"), dict):
        keys["control"].pop("ip_info", None)
    return raw.encode(said)


def test_no_table_makes_a_blocked_of_any_measurement(tmp_path: Path, judge: Judge, data: Path) -> None:
    """All that the tests know of, with tables that put all addresses into one network, be it the probe's own."""
    cases = [*everything(), *(path.read_bytes() for path in sorted((data / "ooni" / "qa").iterdir()))]
    taken_back = 0
    for name, number in (("one", 7), ("probe", 64496)):
        table = with_table(tmp_path / name, f"0.0.0.0\t0\t{number}", f"::\t0\t{number}")
        for case in cases:
            for form in (case, _without_networks(case)):
                for (_, without), (_, by_table) in zip(judged(judge, form), judged(table, form), strict=True):
                    assert by_table.state == without.state or without.state in IMPAIRED
                    assert by_table.state not in IMPAIRED or without.state in IMPAIRED
                    taken_back += without.state in IMPAIRED and by_table.state not in IMPAIRED
    assert taken_back > 0


@given(st.integers(0, (1 << len(BITS)) - 1))
def test_an_answer_like_the_controls_never_makes_a_blocked(facts: int) -> None:
    """The one fact that a table can add, on any facts at all and by the shipped rules."""
    ruleset = load_ruleset()
    if ruleset.decide(facts | BITS["dns.like_control"]).is_impaired:
        assert ruleset.decide(facts & ~BITS["dns.like_control"]).is_impaired


def test_only_a_blocked_asks_that_an_answer_be_unlike_the_controls() -> None:
    """Why the test above holds for more facts than chance finds."""
    for rule in load_ruleset().rules:
        assert "dns.like_control" not in (*rule.when, *rule.any)
        assert "dns.like_control" not in rule.unless or rule.state in IMPAIRED


def test_a_line_is_looked_up_in_the_table_of_its_day(tmp_path: Path) -> None:
    keep(tmp_path, b"1.0.0.0\t1.0.0.255\t1\tAU\tx\n", FIRST, "networks", "table.tsv")
    keep(tmp_path, b"1.0.0.0\t1.0.0.255\t2\tPK\tx\n", SECOND, "networks", "table.tsv")
    reference = load_reference((), tmp_path / "reference")
    assert reference.line_of("1.0.0.9", date(2010, 1, 1)) == ("AS1", "AU")
    assert reference.line_of("1.0.0.9", date(2024, 2, 29)) == ("AS1", "AU")
    assert reference.line_of("1.0.0.9", SECOND) == ("AS2", "PK")
    assert load_reference().line_of("1.0.0.9", SECOND) == ("AS0", "")


def test_the_prepared_table_may_be_deleted(tmp_path: Path) -> None:
    snapshot = keep(tmp_path, b"1.0.0.0\t1.0.0.255\t1\tAU\tx\n", FIRST, "networks", "table.tsv")
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(tmp_path, snapshot)}
    (tmp_path / "reference" / snapshot.digest / "networks.ranges").unlink()
    assert load_reference((), tmp_path / "reference").line_of("1.0.0.9", FIRST) == ("AS1", "AU")
    shutil.rmtree(tmp_path / "reference")
    again = keep(tmp_path, b"1.0.0.0\t1.0.0.255\t1\tAU\tx\n", FIRST, "networks", "table.tsv")
    assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(tmp_path, again)}


def _files(store: Path, snapshot: Snapshot) -> list[Path]:
    return sorted((store / "reference" / snapshot.digest).iterdir())


@pytest.mark.parametrize(("load", "shipped"), [(load_ruleset, RULES), (load_services, SERVICES), (load_bogons, BOGONS)])
def test_a_file_that_was_changed_is_read_anew(
    load: Callable[[Path], Ruleset | Services | Bogons], shipped: Path, tmp_path: Path
) -> None:
    """Within one process too: a server runs for months."""
    path = tmp_path / shipped.name
    path.write_bytes(shipped.read_bytes())
    assert load(path).digest == load(shipped).digest
    path.write_bytes(shipped.read_bytes() + b"# changed\n")
    assert load(path).digest != load(shipped).digest
    path.unlink()
    with pytest.raises(ReferenceDataError, match="can't be read"):
        load(path)
