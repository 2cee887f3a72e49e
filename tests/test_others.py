"""Other witnesses on the page of a case: shown beside the evidence, never counted as it."""

from __future__ import annotations

import re
import shutil
from datetime import date
from html import unescape
from pathlib import Path

import msgspec
import pytest

from kholo.judge import Judge
from kholo.model import Observation, State, Vantage
from kholo.pipeline import work
from kholo.pipeline.cases import view
from kholo.pipeline.ingest import ingest
from kholo.publish import CaseView, Site, build_site
from kholo.publish.environment import MOST_OTHERS
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.store import Store

from . import lines, material
from .conftest import NOW
from .test_lines import SHUTDOWN

CASE = """
id = "x-ug"
title = "X in Uganda"
service = "x"
place = "UG"
start = 2025-12-01
end = 2026-02-28
summary = "An election, a shutdown, a block."
[[actor]]
id = "press"
name = "The Press"
role = "press"
"""
ENTRY = """
id = "2026-01-15-election"
kind = "event"
date = 2026-01-15
actor = "press"
title = "An election"
summary = "Uganda votes."
[[source]]
address = "https://example.org/election"
publisher = "The Press"
read = 2026-01-16
"""


def page(seen: CaseView, out: Path) -> str:
    build_site(Site([seen]), out)
    return (out / "en/cases" / seen.case.id / "index.html").read_text(encoding="utf-8")


def section(text: str) -> str:
    """The words of the part, without tags."""
    part = text.partition('<h2 id="others">')[2].partition("<h2 ")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:bdi|b|a)\b[^>]*>", "", part))))


def test_all_of_it_is_shown_and_marked_as_no_users_line(tmp_path: Path) -> None:
    said = section(page(material.full_view(), tmp_path))
    assert "Nothing in this part is counted as evidence of a block" in said
    assert "Looked like a block, is none The line itself was out: onset between 9 March 2025" in said
    assert "30 of 30 failed reports lie in hours in which the line was out" in said
    when = "10 March 2025, 09:00 UTC to 10 March 2025, 18:00 UTC"
    assert f"IODA announced routes bgp AS64500 First Telecom {when} 93% of it lost" in said
    assert "annotation-part Pakistan 10 March 2025, 09:00 UTC; no end told Of a part only" in said
    assert "or not established. regional, cable_cut" in said
    assert "kholo signals --place PK" in said
    assert "3 in all, where 14.2 a day are usual IODA" in said
    assert "censoredplanet from outside, through a server in the network March 2025 2 0 1,240" in said
    assert "RIPE Atlas by a device that somebody hosts March 2025 1 7" in said
    assert said.count("no user's line") == 2
    assert "kholo verdicts --service chirp --place PK --vantage remote" in said
    assert "simulated" not in said


def test_none_of_it_changes_the_answer(tmp_path: Path) -> None:
    without = msgspec.structs.replace(material.full_view(), others=material.view(material.case()).others)
    first, second = page(material.full_view(), tmp_path / "a"), page(without, tmp_path / "b")
    assert "Other witnesses" not in second
    assert "#others" not in second
    assert re.findall(r'class="answer[^>]*>(.*?)</p>', first) == re.findall(r'class="answer[^>]*>(.*?)</p>', second)


def test_simulated_witnesses_say_so(tmp_path: Path) -> None:
    said = section(page(material.full_view(simulated=True), tmp_path))
    assert said.count("simulated") >= 4
    data = msgspec.json.decode((tmp_path / "data/chirp-test/data.json").read_bytes())
    assert all(row["simulated"] for rows in data["others"].values() for row in rows)


def test_the_data_hold_all_and_the_page_is_bounded(tmp_path: Path) -> None:
    many = msgspec.structs.replace(material.others(), outages=material.others().outages * 60)
    text = page(msgspec.structs.replace(material.full_view(), others=many), tmp_path)
    assert text.count("no end told") <= MOST_OTHERS
    assert "80 more rows" in section(text)
    data = msgspec.json.decode((tmp_path / "data/chirp-test/data.json").read_bytes())
    assert len(data["others"]["outages"]) == 120


@pytest.fixture(scope="module")
def uganda(tmp_path_factory: pytest.TempPathFactory, data: Path) -> tuple[Path, Path]:
    """Real results of X in Uganda with what archives said of the lines, and the folder of a case."""
    folder = tmp_path_factory.mktemp("others")
    (folder / "case").mkdir()
    (folder / "case" / "case.toml").write_text(CASE)
    (folder / "case" / "entries").mkdir()
    (folder / "case" / "entries" / "2026-01-15-election.toml").write_text(ENTRY)
    store = Store(folder / "store", create=True)
    (folder / "ioda.json").write_bytes(
        lines.ioda(SHUTDOWN, lines.event("country/UG", "2026-01-13T16:00", "2026-01-17T20:00", 4))
    )
    (folder / "radar.json").write_bytes(lines.radar(annotations=[lines.annotation()]))
    series = data / "ooni" / "series" / "ug-x-2026.analysis.jsonl"
    assert ingest(store, [series, folder / "ioda.json", folder / "radar.json"], None, NOW).rejected == 0
    return folder / "store", folder / "case"


def test_a_shutdown_stands_beside_the_block(uganda: tuple[Path, Path], tmp_path: Path, judge: Judge) -> None:
    seen = view(uganda[1], Store(uganda[0]), judge, NOW)
    assert [(row.source, row.network) for row in seen.others.outages] == [("radar", ""), ("ioda", "AS20294")]
    text = page(seen, tmp_path)
    said = section(text)
    assert "nationwide, government_directed, Shut down before the election" in said
    assert "Cloudflare Radar, IODA" in said or "IODA, Cloudflare Radar" in said
    assert "blocked in Uganda on 1 of 1 measured network" in text


def test_an_incident_that_an_outage_explains_is_on_the_page_and_not_in_the_answer(
    uganda: tuple[Path, Path], tmp_path: Path, judge: Judge
) -> None:
    shutil.copytree(uganda[0], tmp_path / "store")
    (tmp_path / "more.json").write_bytes(lines.ioda(lines.event("asn/20294", "2026-01-13T16:00", "2026-02-11T00:00")))
    ingest(Store(tmp_path / "store"), [tmp_path / "more.json"], None, NOW)
    seen = view(uganda[1], Store(tmp_path / "store"), judge, NOW)
    assert seen.incidents == ()
    text = page(seen, tmp_path / "site")
    assert "The line itself was out" in section(text)
    assert "no incident was found" in text
    assert "What looked like one and is none" in text


def test_what_servers_saw_is_counted_by_month_and_makes_no_incident(
    uganda: tuple[Path, Path], tmp_path: Path, judge: Judge, data: Path
) -> None:
    shutil.copytree(uganda[0], tmp_path / "store")
    store = Store(tmp_path / "store")
    series = (data / "ooni" / "series" / "ug-x-2026.analysis.jsonl").read_bytes().splitlines()
    rows = []
    for number, row in enumerate(series[:300]):
        for decoded in registry.decode(Item("remote", number, row), Context(NOW)):
            assert isinstance(decoded, tuple)
            measured = msgspec.structs.replace(
                decoded[0], vantage=Vantage.REMOTE, source="censoredplanet", measurement_uid=f"remote-{number}"
            )
            seen: list[Observation] = []
            rows.append(work.line(measured, seen, judge.verdict(measured, seen)))
    store.add_part("remote", {"measurements": b"".join(row.measurement for row in rows)})
    before, after = (view(uganda[1], Store(path), judge, NOW) for path in (uganda[0], tmp_path / "store"))
    assert before.others.elsewhere == ()
    assert {row.vantage for row in after.others.elsewhere} == {Vantage.REMOTE}
    assert sum(sum(row.states.values()) for row in after.others.elsewhere) == 300
    assert after.others.elsewhere[0].month == date(2025, 12, 1)
    assert (after.incidents, after.measurements) == (before.incidents, before.measurements)
    assert set(after.others.elsewhere[0].states) <= set(State)
