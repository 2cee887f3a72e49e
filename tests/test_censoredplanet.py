"""Censored Planet as a source: its real files read completely, and what stands in them kept back or named."""

from __future__ import annotations

import gzip
import random
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kholo.judge import Judge, load_ruleset
from kholo.model import Grade, Measurement, Observation, Reject, State, Vantage
from kholo.pipeline.filling import Summary
from kholo.pipeline.ingest import ingest
from kholo.pipeline.work import judged, work
from kholo.reference import load_reference
from kholo.sources import archives, registry, vantagepoint
from kholo.sources.envelope import Refused
from kholo.sources.items import Item
from kholo.sources.source import Aside, Context
from kholo.store import Store

from . import remote
from .conftest import DATA, NOW
from .remote import BLOCK_PAGE, NAME, SERVER, between, encode, hyperquack, satellite, trial
from .test_mutations import mutated

#: Rows of each file of `../shared/data/censoredplanet` (sample rows of censoredplanet/censoredplanet-analysis): the
#: measurements in it, rows that only say something of others, and rejects.
COUNTS = {
    "Quack-http_v2/http_results_v2.json": (4, 0, 0),
    "Quack-https_v1/https_results_v1.json": (4, 0, 0),
    "Quack-https_v2/https_results_v2.json": (4, 0, 0),
    "Satellitev1_2018-08-03/answers_control.json": (0, 4, 0),
    "Satellitev1_2018-08-03/interference.json": (4, 0, 0),
    "Satellitev1_2018-08-03/resolvers.json": (0, 5, 0),
    "Satellitev1_2018-08-03/tagged_answers.json": (0, 13, 0),
    "Satellitev1_2018-08-03/tagged_resolvers.json": (0, 5, 0),
    "Satellitev2-2021-10-20/blockpages.json": (0, 11, 0),
    "Satellitev2-2021-10-20/control_pages.json": (0, 10, 0),
    "Satellitev2-2021-10-20/resolver_info.json": (0, 12, 0),
    "Satellitev2-2021-10-20/resolvers.json": (0, 10, 0),
    "Satellitev2-2021-10-20/resolvers_profile.json": (0, 2, 0),
    "Satellitev2-2021-10-20/results.json": (12, 0, 0),
    "blockpage_signatures.json": (0, 622, 0),
    "false_positive_signatures.json": (0, 460, 0),
}
#: What the rules say of the real rows, with Censored Planet's own signatures of block pages.
RULES = {
    "remote.http.ok": 2, "remote.tls.ok": 6, "remote.other_page": 1, "remote.filterpage": 2, "remote.control_failed": 1,
    "remote.dns.ok.certificate": 5, "remote.dns.same_network": 1, "remote.dns.other": 4, "remote.dns.failed": 4,
    "remote.dns.not_alive": 2,
}  # fmt: skip


def line_of(_address: str, _day: date) -> tuple[str, str]:
    return "AS64500", "LB"


KNOWING, UNKNOWING = Context(NOW, line_of), Context(NOW)


@pytest.fixture(scope="module")
def real(data: Path) -> Path:
    return data / "censoredplanet"


def read(path: Path, name: str = "", context: Context = KNOWING) -> Iterator[Any]:
    """All that a file gives, decoded."""
    with path.open("rb") as stream:
        for found in archives.read_file(path, name or str(path), stream):
            yield from registry.decode(found, context) if isinstance(found, Item) else (found,)


def tally(found: Iterator[Any]) -> tuple[int, int, int]:
    kinds = Counter(type(one[0] if isinstance(one, tuple) else one) for one in found)
    return kinds[Measurement], kinds[Aside], kinds[Reject]


def test_no_real_file_is_left_out(real: Path) -> None:
    assert {str(path.relative_to(real)) for path in archives.find([real])} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_real_files_are_read_completely(name: str, real: Path, tmp_path: Path) -> None:
    lines = sum(bool(line.strip()) for line in (real / name).read_bytes().splitlines())
    assert tally(read(real / name)) == COUNTS[name]
    assert sum(COUNTS[name]) == lines
    folder = tmp_path / Path(name).parent.name
    shutil.copytree((real / name).parent, folder, dirs_exist_ok=True)
    packed = folder / f"{Path(name).name}.gz"
    packed.write_bytes(gzip.compress((real / name).read_bytes()))
    assert tally(read(packed)) == COUNTS[name]
    assert list(map(facts, read(packed))) == list(map(facts, read(folder / Path(name).name)))


def facts(found: Any) -> Any:
    """What was read, without the name of the file it was read from."""
    if not isinstance(found, tuple):
        return type(found)
    return msgspec.structs.replace(found[0], file=""), found[1].rows


def test_real_rows_are_judged_without_a_block(real: Path) -> None:
    """None of the sample rows says for certain that somebody blocks: a refusal, a firewall and odd answers are none."""
    signatures = tuple(sorted(real.glob("*_signatures.json")))
    judge = Judge(load_ruleset(), load_reference(signatures))
    rules: Counter[str] = Counter()
    for path in archives.find([real]):
        with path.open("rb") as stream:
            items = [found for found in archives.read_file(path, str(path), stream) if isinstance(found, Item)]
        for found in judged(items, KNOWING, judge):
            if isinstance(found, tuple):
                rules[found[2].rule_id] += 1
                assert found[2].state in (State.OK, State.INSUFFICIENT)
    assert rules == RULES


def test_a_row_says_where_when_and_how_deep(real: Path) -> None:
    first, *_ = read(real / "Quack-https_v1" / "https_results_v1.json")
    measurement = first[0]
    assert (measurement.test_name, measurement.test_version, measurement.kind) == ("hyperquack_https", "v1", Grade.A)
    assert (measurement.place, measurement.network) == ("LB", "AS64500"), "by the tables of networks"
    assert measurement.measured_at == datetime(2020, 11, 6, 20, 24, 18, 972991, tzinfo=UTC)
    assert (measurement.input, measurement.hostname, measurement.vantage) == ("uploaded.to",) * 2 + (Vantage.REMOTE,)
    *_, last = read(real / "Satellitev2-2021-10-20" / "results.json")
    assert (last[0].place, last[0].kind) == ("CN", Grade.B)
    assert last[0].measured_at == datetime(2021, 10, 20, 20, 57, 19, 532718, tzinfo=UTC)


def test_rows_without_a_place_are_named(real: Path) -> None:
    found = list(read(real / "Quack-https_v1" / "https_results_v1.json", context=UNKNOWING))
    assert [one.reason for one in found] == ["no_place"] * 4


def test_satellite_version_1_has_its_places_and_controls_from_its_folder(real: Path) -> None:
    first, *_ = read(real / "Satellitev1_2018-08-03" / "interference.json", context=UNKNOWING)
    measurement, observed = first
    assert (measurement.place, measurement.network, measurement.kind) == ("IE", "AS0", Grade.B)
    assert measurement.measured_at == datetime(2018, 8, 3, tzinfo=UTC)
    asked, control = observed.rows
    assert set(asked.answer_networks) == {16509}
    assert "99.84.251.117" in control.answers


def test_satellite_version_1_alone_has_no_time_and_no_place(real: Path, tmp_path: Path) -> None:
    shutil.copy(real / "Satellitev1_2018-08-03" / "interference.json", tmp_path)
    path = tmp_path / "interference.json"
    assert {one.reason for one in read(path, "interference.json")} == {"no_time"}
    named = "CP_Satellite-2018-08-03-00-00-01/raw/interference.json"
    assert {one.reason for one in read(path, named, UNKNOWING)} == {"no_place"}
    assert {one[0].measured_at.day for one in read(path, named)} == {3}


def test_the_same_answer_in_two_weeks_is_two_measurements(real: Path) -> None:
    path = real / "Satellitev1_2018-08-03" / "interference.json"
    weeks = [
        [one[0].measurement_uid for one in read(path, f"CP_Satellite-2018-08-{day}/x.json")] for day in ("03", "10")
    ]
    assert not set(weeks[0]) & set(weeks[1])


def test_pages_are_found_in_the_folder_and_only_for_their_own_answer(real: Path, tmp_path: Path) -> None:
    *_, odd, last = read(real / "Satellitev2-2021-10-20" / "results.json")
    assert [(row.ip, row.status) for row in odd[1].rows if row.engine == "fetched"] == [("31.13.92.35", 400)]
    assert not [row for row in last[1].rows if row.engine == "fetched"], "that page could not be fetched"
    shutil.copy(real / "Satellitev2-2021-10-20" / "results.json", tmp_path)
    assert not [row for one in read(tmp_path / "results.json") for row in one[1].rows if row.engine == "fetched"]


def test_many_pages_go_to_disk_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kholo.sources.folder.IN_MEMORY", 1_000)
    count = 300
    ips = [f"185.0.{number // 250}.{number % 250}" for number in range(count)]
    pages = [
        {"ip": ip, "keyword": NAME, "http": remote.page(f"page of {ip} {BLOCK_PAGE}"), "fetched": True} for ip in ips
    ]
    (tmp_path / "blockpages.json.gz").write_bytes(gzip.compress(b"\n".join([b"{broken", *map(encode, pages)])))
    (tmp_path / "results.json").write_bytes(b"\n".join(encode(satellite({ip: []})) for ip in reversed(ips)))
    found = [row for one in read(tmp_path / "results.json") for row in one[1].rows if row.engine == "fetched"]
    assert len(found) == count
    assert all(row.body.startswith(f"page of {row.ip} ") for row in found)


def test_a_file_that_is_only_called_so_is_read_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{\n "metadata": {},\n "results": []\n}\n')
    (tmp_path / "results.json.gz").write_bytes(gzip.compress(encode(between(trial()))))
    assert tally(read(tmp_path / "results.json")) == (0, 0, 1)
    assert tally(read(tmp_path / "results.json.gz")) == (1, 0, 0)


def test_a_scan_as_it_is_published_a_tar(real: Path, tmp_path: Path) -> None:
    path = tmp_path / "CP_Quack-https-2020-11-06-15-00-01.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(
            real / "Quack-https_v1" / "https_results_v1.json", "CP_Quack-https-2020-11-06-15-00-01/results.json"
        )
    assert tally(read(path)) == (4, 0, 0)


# ---- what must not be kept ---------------------------------------------------------------------------------------


def addresses(real: Path) -> set[str]:
    """Every address of a server or resolver in the real rows."""
    found = set()
    for path in real.rglob("*.json"):
        for line in path.read_bytes().splitlines():
            row = msgspec.json.decode(line or b"{}")
            found |= {row.get(name) for name in ("vp", "Server", "resolver")}
    return {address for address in found if address}


def kept(store: Store) -> str:
    """All that stands in the Parquet files of the store, as text."""
    files = [str(path) for path in store.root.rglob("*.parquet")]
    assert files
    with duckdb.connect() as db:
        return "\n".join(str(row) for file in files for row in db.execute(f"SELECT * FROM '{file}'").fetchall())


def test_no_address_of_a_server_is_anywhere_in_the_store(real: Path, tmp_path: Path) -> None:
    folder = tmp_path / "CP_Quack-http-2021-05-30"
    folder.mkdir()
    dashed, reverse = SERVER.replace(".", "-"), ".".join(reversed(SERVER.split(".")))
    body = f"<title>{SERVER}</title> your server {SERVER}:80, host-{dashed}.example, {reverse}.in-addr.arpa"
    leaky = remote.page(body, Location=f"https://{SERVER}/", Server=SERVER, Via=dashed)
    rows = [
        between(*[trial(response=leaky)] * 2, service="http"), between(*[trial(remote.RESET)] * 2),
        between(*[trial(response=leaky)] * 2), hyperquack(remote.control(remote.RESET)),
        between(*[trial(response=body)] * 2, service="echo"), between(trial(), test_url=f"{SERVER}/x"),
        satellite({SERVER: ["cert", "ip"]}), between(trial(), location=None), satellite(start_time=SERVER),
        between(trial(), service=SERVER), satellite(vp=f"{SERVER}:53"),
        {"satellite_row": satellite({SERVER: []}), "pages": [{"ip": SERVER, "keyword": NAME, "http": leaky}]},
    ]  # fmt: skip
    (folder / "rows.jsonl").write_bytes(b"\n".join(map(encode, rows)))
    store = Store(tmp_path / "store", create=True)
    summary = ingest(store, [real, folder], None, NOW)
    assert (summary.new, summary.aside) == (24 + 8, 1_154)
    text = kept(store)
    assert "[scrubbed]" in text
    for address in addresses(real) | {SERVER, dashed, reverse}:
        assert address not in text, address


def test_ingest_takes_the_folder_whole(real: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    summary = ingest(store, [real], None, NOW)
    assert summary == Summary(files=16, read=24, new=24, aside=1_154, rejected=4, reasons={"no_place": 4})
    again = ingest(store, [real], None, NOW, workers=2)
    assert (again.new, again.known, again.conflicts) == (0, 24, 0)


# ---- hostile rows ------------------------------------------------------------------------------------------------

JUDGE = Judge(load_ruleset(), load_reference())
ROWS = [row for row, _ in remote.CASES.values()]


def real_rows() -> list[Any]:
    files = sorted((DATA / "censoredplanet").glob("*/*.json"))
    return [msgspec.json.decode(line) for path in files for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("run", range(8))
def test_changed_rows_give_a_verdict_or_a_named_reject(run: int) -> None:
    dice = random.Random(f"censored planet/{run}")
    rows = [*ROWS, *real_rows()]
    for number in range(2_500):
        data = mutated(dice, rows[number % len(rows)], rows)
        done = work([Item("CP_Quack-https-2021-01-01", 1, data)], KNOWING, JUDGE)
        assert len(done.lines) + len(done.rejects) + done.aside >= 1
        assert all(reject.reason and reject.detail.isprintable() for reject in done.rejects)


BAD = {
    "bad_address": encode(between(trial(), vp="1.2.3")),
    "no_place": encode(between(trial(), location={"country_name": "Nowhere"})),
    "no_trials": encode(hyperquack()),
    "no_protocol": encode(between(trial(), service="gopher")),
    "bad_time": encode(between(trial(), response=[trial(start="yesterday")])),
    "time_in_future": encode(satellite(start_time="2030-01-01 00:00:00 +0000 UTC")),
    "time_implausible": encode(satellite(start_time="0001-01-01 00:00:00 +1400 UTC")),
    "wrong_type": encode(between(trial(), response=7)),
    "unknown_row": encode({"vp": SERVER}),
    "trials_disagree": encode(
        {"Server": SERVER, "Keyword": NAME, "Results": [{"Sent": "other.example", "StartTime": remote.START}]}
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_bad_rows_are_named(reason: str) -> None:
    (found,) = registry.decode(Item("CP_Quack-http-2021-01-01", 1, BAD[reason]), UNKNOWING)
    if reason == "time_implausible":
        assert isinstance(found, Reject)
        assert found.reason in (reason, "bad_time")
    else:
        assert isinstance(found, Reject)
        assert found.reason == reason
    assert SERVER not in found.detail


# ---- times -------------------------------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(2013, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 (the offset is drawn beside)
    st.integers(-14 * 4, 14 * 4),
    st.sampled_from(
        ["{:%Y-%m-%dT%H:%M:%S.%f}{}", "{:%Y-%m-%d %H:%M:%S.%f} {} EDT m=+24069.053", "{:%Y-%m-%d %H:%M:%S.%f} {} -03"]
    ),
)
@settings(deadline=None)
def test_times_in_every_form_are_the_same_moment(local: datetime, quarters: int, form: str) -> None:
    hours, minutes = divmod(abs(quarters) * 15, 60)
    colon = ":" if "T" in form else ""
    offset = f"{'-' if quarters < 0 else '+'}{hours:02}{colon}{minutes:02}"
    expected = (local - timedelta(minutes=quarters * 15)).replace(tzinfo=UTC)
    assert vantagepoint.moment(form.format(local, offset), NOW) == expected


@given(st.text(max_size=60))
@example("2021-05-30T01:01:09.618480787-04:00")
@example("2021-13-30T01:01:09-04:00")
@example("2021-05-30 01:01:09 -9999 X m=+1")
@example("0001-01-01T00:00:00+14:00")
def test_any_text_is_a_time_or_a_named_reject(text: str) -> None:
    try:
        assert vantagepoint.moment(text, NOW).tzinfo is UTC
    except Refused as error:
        assert error.reason in ("bad_time", "time_implausible", "time_in_future")


def test_errors_keep_their_step(judge: Judge) -> None:
    """Texts of Go, by the step that they tell (after censoredplanet-analysis, test_hyperquack_outcome.py)."""
    ends = {
        "dial tcp 1.2.3.4:1000->5.6.7.8:9: connect: connection refused": ("tcp", "connection_refused"),
        "dial tcp 1.2.3.4:1000->5.6.7.8:9: connect: connection timed out": ("tcp", "generic_timeout_error"),
        "dial tcp 1.2.3.4:1000->5.6.7.8:9: bind: address already in use": ("tcp", "unknown_failure"),
        "i/o timeout": ("tcp", "generic_timeout_error"),
        "write tcp 1.2.3.4:1000->5.6.7.8:9: write: connection reset by peer": ("tcp", "connection_reset"),
        "read tcp 1.2.3.4:1000->5.6.7.8:9: i/o timeout": ("http", "generic_timeout_error"),
        "read tcp 1.2.3.4:1000->5.6.7.8:9: read: connection reset by peer": ("http", "connection_reset"),
        "Get http://1.2.3.4: unexpected EOF": ("http", "eof_error"),
        "Get http://1.2.3.4: malformed HTTP version": ("http", "unknown_failure"),
        "net/http: request canceled while waiting for connection (Client.Timeout exceeded)": (
            "tcp", "generic_timeout_error",
        ),
        "remote error: handshake failure": ("tls", "ssl_failed_handshake"),
    }  # fmt: skip
    for text, expected in ends.items():
        ((_, observed),) = registry.decode(Item("test", 1, encode(between(trial(text), service="http"))), KNOWING)  # type: ignore[misc]
        row: Observation = observed.rows[1]
        assert (row.layer, row.failure) == expected, text
