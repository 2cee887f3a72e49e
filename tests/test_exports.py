"""Exports: what each format asks for stands in it, nothing that points at a person does, and no text does harm."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kholo.model import (
    Assessment,
    CaseError,
    Entry,
    EntryKind,
    EventKind,
    Extent,
    Grade,
    LegalBasis,
    Obligation,
    Outcome,
    State,
    UsageError,
)
from kholo.pipeline.cases import view as case_view
from kholo.pipeline.ingest import ingest
from kholo.pipeline.sets import judge_for
from kholo.publish import CaseView, Site, build_site
from kholo.publish.exports import FORMATS, write_export
from kholo.store import Store

from . import material, raw
from .browsing import Window
from .commands import kholo
from .material import full_view, utc
from .test_publish import HOSTILE

URL = "https://example.org/chirp-test/"
ROOT = Path(__file__).parents[1]
WORSE = f'{HOSTILE}\n=HYPERLINK("x")\r\n</script><b>\x00\u2028]]>'


def written(view: CaseView, kind: str, folder: Path, name: str = "out") -> bytes:
    """All bytes of an export, files one after the other."""
    return b"".join(path.read_bytes() for path in write_export(view, kind, folder / kind / name, URL))


def reviews(view: CaseView, folder: Path) -> list[dict[str, Any]]:
    document = msgspec.json.decode(written(view, "claimreview", folder))
    assert document["@context"] == "https://schema.org"
    found: list[dict[str, Any]] = document["@graph"]
    return found


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def with_outcome(outcome: Outcome, grade: Grade | None, extent: Extent | None = None) -> CaseView:
    day = date(2025, 3, 12)
    made = Assessment("2025-03-12-denial", EntryKind.DENIAL, day, outcome, grade, "Because.", extent=extent)
    return msgspec.structs.replace(full_view(), assessments=(made,))


# ClaimReview


def test_a_claim_review_has_what_is_required(tmp_path: Path) -> None:
    """Required: claimReviewed, reviewRating, url; of readers also author, datePublished, itemReviewed."""
    said = tuple(msgspec.structs.replace(row, checked="Chirp was ok in Pakistan.") for row in full_view().assessments)
    (review,) = reviews(msgspec.structs.replace(full_view(), assessments=said), tmp_path)
    assert review["@type"] == "ClaimReview"
    assert review["claimReviewed"] == "Chirp was ok in Pakistan. Read from: Title of 2025-03-12-denial"
    assert review["url"] == f"{URL}#entry-2025-03-12-denial"
    assert date.fromisoformat(review["datePublished"]) == date(2025, 6, 1)
    assert review["author"] == {"@type": "Organization", "name": "kholo"}
    rating = review["reviewRating"]
    assert (rating["@type"], rating["ratingValue"], rating["worstRating"], rating["bestRating"]) == ("Rating", 1, 1, 5)
    assert rating["alternateName"] == "Contradicted by the evidence"
    assert "does not mean that it is false" in rating["ratingExplanation"]
    item = review["itemReviewed"]
    assert (item["@type"], item["author"]["name"]) == ("Claim", "The Authority")
    assert item["appearance"][0]["url"] == "https://example.org/story"
    assert "datePublished" not in item, "a day that is not certain is not given as one"


@pytest.mark.parametrize(
    ("outcome", "extent", "value"),
    [
        (Outcome.SUPPORTED, Extent.WHOLE, 5),
        (Outcome.SUPPORTED, Extent.PART, 4),
        (Outcome.CONTRADICTED, Extent.PART, 2),
        (Outcome.CONTRADICTED, Extent.WHOLE, 1),
    ],
)
def test_the_scale(outcome: Outcome, extent: Extent, value: int, tmp_path: Path) -> None:
    (review,) = reviews(with_outcome(outcome, Grade.B, extent), tmp_path)
    assert review["reviewRating"]["ratingValue"] == value


def test_undetermined_is_no_rating_of_false(tmp_path: Path) -> None:
    (review,) = reviews(with_outcome(Outcome.UNDETERMINED, None), tmp_path)
    rating = review["reviewRating"]
    assert {"ratingValue", "worstRating", "bestRating"}.isdisjoint(rating)
    assert rating["alternateName"].startswith("Undetermined")


def test_findings_are_evidence_and_not_reviewed(tmp_path: Path) -> None:
    assert len(full_view().assessments) == 2
    assert len(reviews(full_view(), tmp_path)) == 1


def test_reviews_need_an_address(tmp_path: Path) -> None:
    for url in ("", "javascript:alert(1)", "https://a.example/\u202e"):
        with pytest.raises(UsageError, match="--url"):
            write_export(full_view(), "claimreview", tmp_path / "out.json", url)


def test_the_page_holds_them_as_data(tmp_path: Path) -> None:
    build_site(Site([full_view(), full_view(case_id="fake", simulated=True)]), tmp_path)
    (block,) = data_blocks((tmp_path / "en/cases/chirp-test/index.html").read_text())
    (review,) = msgspec.json.decode(block)["@graph"]
    assert review["url"] == "#entry-2025-03-12-denial"
    assert data_blocks((tmp_path / "en/cases/fake/index.html").read_text()) == [], (
        "nothing invented is offered to searchers"
    )


def test_nothing_in_a_claim_ends_the_data_block(tmp_path: Path) -> None:
    build_site(Site([hostile()]), tmp_path)
    (block,) = data_blocks((tmp_path / "en/cases/chirp-test/index.html").read_text())
    assert "<" not in block
    assert msgspec.json.decode(block)["@graph"][0]["itemReviewed"]["name"].startswith(
        "<script>alert(1)</script>[U+202E]"
    )


def data_blocks(page: str) -> list[str]:
    """The content of all scripts in a page, which are data and nothing else."""
    page = page.replace("<script src=", "<link src=").replace("></script>\n</body>", ">\n</body>")
    assert page.count("<script") == page.count('<script type="application/ld+json">') == page.count("</script>")
    return re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, flags=re.DOTALL)


def test_the_policy_of_the_pages_lets_data_stand(window: Window, tmp_path: Path) -> None:
    """A browser that runs scripts finds the block, reads it, and has no complaint under the page's policy."""
    build_site(Site([full_view()]), tmp_path)
    with window.tab(tmp_path.as_uri()) as tab:
        tab.open("en/cases/chirp-test/index.html")
        text = tab.page.locator('script[type="application/ld+json"]').text_content() or ""
        tab.was_quiet()
    assert msgspec.json.decode(text)["@graph"][0]["@type"] == "ClaimReview"


# STOP


def stop_rows(view: CaseView, folder: Path) -> list[dict[str, str]]:
    return table(written(view, "stop", folder))


def test_a_row_for_each_incident_and_standing_finding(tmp_path: Path) -> None:
    incident, finding = stop_rows(full_view(), tmp_path)
    assert (incident["kholo_row"], finding["kholo_row"]) == ("incident", "finding")
    assert incident["country"] == "Pakistan"
    assert (incident["start_date"], incident["end_date"], incident["duration"]) == ("2025-03-10", "2025-04-05", "27")
    assert (incident["shutdown_type"], incident["shutdown_extent"]) == ("Shutdown", "Service-based")
    assert incident["telcos_involved"] == "AS64500;AS64501;AS64502"
    assert (incident["other_affected"], incident["twitter_affected"]) == ("Chirp", "")
    assert (finding["info_source_link"], finding["kholo_grade"]) == ("https://example.org/story", "C")
    assert list(incident)[:4] == ["start_date_type", "start_date", "country", "geo_scope"]


def test_what_is_not_known_is_empty(tmp_path: Path) -> None:
    """No cause, no extent of harm, no "no": a finding's last day is no end of the shutdown."""
    incident, finding = stop_rows(full_view(), tmp_path)
    for row in (incident, finding):
        for column in (
            "actual_cause", "actual_cause_details", "affected_network", "area_name", "violence", "hr_abuse_reported",
            "users_targeted", "sms_affected", "phonecall_affected", "facebook_affected", "whatsapp_affected",
            "election", "an_link", "ordered_by", "decision_maker",
        ):  # fmt: skip
            assert row[column] == "", column
        assert "No" not in row.values()
    assert (finding["end_date"], finding["duration"], finding["shutdown_status"]) == ("", "", "")
    running = msgspec.structs.replace(full_view(), incidents=(material.incident(end=None),))
    assert stop_rows(running, tmp_path / "b")[0]["shutdown_status"] == "", "not seen to end is not the same as going on"


def test_who_ordered_it_on_what_law_and_what_stood_beside(tmp_path: Path) -> None:
    order = material.entry(
        "2025-03-09-order", EntryKind.ORDER, date(2025, 3, 9), actor="court", gives_reason=True,
        obligation=Obligation("chirp", "PK", State.BLOCKED, utc(2025, 3, 10)),
        legal_basis=(LegalBasis("Telegraph Act", "5"),),
    )  # fmt: skip
    vote = material.entry("2025-03-08-vote", EntryKind.EVENT, date(2025, 3, 8), actor="press", event=EventKind.ELECTION)
    late = material.entry("2025-06-08-exam", EntryKind.EVENT, date(2025, 6, 8), actor="press", event=EventKind.EXAM)
    case = material.case((*material.record(), order, vote, late))
    row = stop_rows(msgspec.structs.replace(full_view(), case=case), tmp_path)[0]
    assert (row["ordered_by"], row["decision_maker"], row["kholo_orders"]) == (
        "The High Court",
        "court",
        "2025-03-09-order",
    )
    assert row["kholo_legal_basis"] == "Telegraph Act 5"
    assert (row["gov_ack"], row["election"], row["kholo_exams"]) == ("Yes", "Yes", "")
    assert row["event"] == "Title of 2025-04-05-event;Title of 2025-03-08-vote"
    assert "2025-03-09: Summary" in row["gov_justification"]


def test_an_election_whose_day_may_lie_outside_is_not_counted(tmp_path: Path) -> None:
    vote = material.entry(
        "2025-03-08-vote", EntryKind.EVENT, date(2025, 3, 8), latest=date(2025, 9, 1), event=EventKind.ELECTION
    )
    view = msgspec.structs.replace(full_view(), case=material.case((*material.record(), vote)))
    assert stop_rows(view, tmp_path)[0]["election"] == ""


# CSV and JSON of everything


def test_everything_as_csv(tmp_path: Path) -> None:
    view = full_view()
    names = {path.name for path in write_export(view, "csv", tmp_path / "folder")}
    assert names == {
        "about.csv", "actors.csv", "entries.csv", "sources.csv", "legal-basis.csv", "assessments.csv", "clocks.csv",
        "three-part-test.csv", "incidents.csv", "spells.csv", "days.csv", "networks.csv", "speeds.csv",
    }  # fmt: skip
    entries = table((tmp_path / "folder" / "entries.csv").read_bytes())
    assert [row["id"] for row in entries] == [entry.id for entry in view.case.entries]
    denial = next(row for row in entries if row["id"] == "2025-03-12-denial")
    assert (denial["proposition_state"], denial["proposition_from"]) == ("ok", "2025-03-10T00:00:00Z")
    assert denial["latest"] == "2025-03-14"
    assert len(table((tmp_path / "folder" / "days.csv").read_bytes())) == len(view.days)
    assert len(table((tmp_path / "folder" / "spells.csv").read_bytes())) == 3
    coverage = table((tmp_path / "folder" / "assessments.csv").read_bytes())[0]["coverage"]
    assert msgspec.json.decode(coverage)["results"] == 0, "what has parts of its own is JSON"
    sources = table((tmp_path / "folder" / "sources.csv").read_bytes())
    assert (sources[0]["quote"], sources[0]["language"]) == ("سروس بند نہیں", "ur")


def test_a_zip_holds_the_same_and_is_the_same_each_time(tmp_path: Path) -> None:
    write_export(full_view(), "csv", tmp_path / "folder")
    (first,) = write_export(full_view(), "csv", tmp_path / "a.zip")
    (second,) = write_export(full_view(), "csv", tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "folder" / name.removeprefix("chirp-test/")).read_bytes()


def test_everything_as_json(tmp_path: Path) -> None:
    content = msgspec.json.decode(written(full_view(), "json", tmp_path))
    assert {"incidents", "assessments", "clocks", "days", "others", "record", "versions", "licence"} <= set(content)
    first = content["record"]["entries"][0]
    assert (first["id"], first["proposition"]["state"]) == ("2025-03-12-denial", "ok")
    assert "file" not in first, "where a file lay on somebody's machine is nobody's business"


# Atom of changes

ATOM = "{http://www.w3.org/2005/Atom}"


def titles(path: Path) -> list[str]:
    return [entry.findtext(f"{ATOM}title") or "" for entry in ET.parse(path).getroot().findall(f"{ATOM}entry")]


def later(view: CaseView, days: int, **more: Any) -> CaseView:
    return msgspec.structs.replace(view, as_of=view.as_of + timedelta(days), **more)


def changed(entries: tuple[Entry, ...], name: str, **more: Any) -> tuple[Entry, ...]:
    return tuple(msgspec.structs.replace(entry, **more) if entry.id == name else entry for entry in entries)


def test_changes_are_told_once(tmp_path: Path) -> None:
    out = tmp_path / "changes.atom"
    view = full_view()
    write_export(view, "atom", out, URL)
    assert titles(out) == ["The feed begins"]
    before = out.read_bytes()
    write_export(later(view, 1), "atom", out, URL)
    assert out.read_bytes() == before
    entries = changed(view.case.entries, "2025-03-12-denial", summary="Corrected.")
    entries = tuple(entry for entry in entries if entry.id != "2025-04-05-event")
    entries += (material.entry("2025-04-09-letter", EntryKind.LETTER, date(2025, 4, 9)),)
    outcomes = tuple(msgspec.structs.replace(row, outcome=Outcome.UNDETERMINED) for row in view.assessments[:1])
    case = msgspec.structs.replace(view.case, entries=entries)
    write_export(later(view, 2, case=case, assessments=(*outcomes, *view.assessments[1:])), "atom", out, URL)
    assert sorted(titles(out)[:-1]) == [
        "Assessed otherwise: Title of 2025-03-12-denial",
        "Entry added: Title of 2025-04-09-letter",
        "Entry changed: Title of 2025-03-12-denial",
        "Entry taken out: Title of 2025-04-05-event",
    ]
    text = out.read_text()
    assert "Was contradicted, grade A, is undetermined, grade A. Blocked on 3 of 3" in text
    assert f'href="{URL}#entry-2025-04-09-letter"' in text
    assert "<updated>2025-06-03T00:00:00Z</updated>" in text


def test_the_same_changes_have_the_same_ids_everywhere(tmp_path: Path) -> None:
    view = full_view()
    new = later(view, 1, case=material.case(view.case.entries[:-1]))
    for name in ("a", "b"):
        write_export(view, "atom", tmp_path / name, URL)
        write_export(new, "atom", tmp_path / name, URL)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found = re.findall(r"<id>(.*?)</id>", (tmp_path / "a").read_text())
    assert len(found) == len(set(found)) == 3


def test_moving_an_entry_to_another_file_is_no_change(tmp_path: Path) -> None:
    view = full_view()
    write_export(view, "atom", tmp_path / "a", URL)
    moved = material.case(changed(view.case.entries, "2025-03-12-denial", file="entries/other.toml"))
    write_export(later(view, 1, case=moved), "atom", tmp_path / "a", URL)
    assert titles(tmp_path / "a") == ["The feed begins"]


@pytest.mark.parametrize(
    "memory", [b"", b"{", b"[1]", b"\xff\xfe", b'{"case":"other","begun":"2025-01-01T00:00:00Z"}', b"[" * 200_000]
)
def test_a_memory_that_is_none_is_refused(memory: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.memory.json").write_bytes(memory)
    with pytest.raises(CaseError):
        write_export(full_view(), "atom", tmp_path / "a", URL)
    assert not (tmp_path / "a").exists()


def test_a_feed_is_of_one_case(tmp_path: Path) -> None:
    write_export(full_view(), "atom", tmp_path / "a", URL)
    with pytest.raises(CaseError, match="another case"):
        write_export(full_view(case_id="other"), "atom", tmp_path / "a", URL)


# All of them


def hostile() -> CaseView:
    view = full_view()
    entries = tuple(
        msgspec.structs.replace(
            entry, title=WORSE, summary=WORSE, notes=WORSE, signatories=(WORSE,),
            sources=(material.source("javascript:alert(1)", WORSE), material.source("https://a.example/", WORSE)),
            legal_basis=(LegalBasis(WORSE, WORSE, WORSE, WORSE),),
        )
        for entry in view.case.entries
    )  # fmt: skip
    actors = tuple(msgspec.structs.replace(actor, name=WORSE) for actor in view.case.actors)
    case = material.case(entries, title=WORSE, summary=WORSE, limits=(WORSE,), actors=actors)
    said = tuple(msgspec.structs.replace(row, because=WORSE) for row in view.assessments)
    clocks = tuple(msgspec.structs.replace(row, because=WORSE) for row in view.clocks)
    return msgspec.structs.replace(view, case=case, assessments=said, clocks=clocks, service_name=WORSE)


@pytest.mark.parametrize("kind", list(FORMATS))
def test_hostile_text_is_harmless(kind: str, tmp_path: Path) -> None:
    view = hostile()
    text = written(view, kind, tmp_path).decode()
    if kind in ("atom", "jsonfeed"):
        case = material.case(changed(view.case.entries, "2025-03-12-denial", notes=""))
        write_export(later(view, 1, case=case), kind, tmp_path / kind / "out", URL)
        text = (tmp_path / kind / "out").read_text()
        assert ET.fromstring(text) if kind == "atom" else msgspec.json.decode(text)
    for char in "\u202e\u0007\x00\u2028\r":
        assert char not in text
    if kind in ("claimreview", "json", "atom", "jsonfeed"):
        assert "<script" not in text
        assert "<img" not in text
    if kind == "claimreview":
        assert "javascript:alert(1)" not in [
            work["url"]
            for review in msgspec.json.decode(text)["@graph"]
            for work in review["itemReviewed"]["appearance"]
        ]
    if kind in ("stop", "csv"):
        for cell in cells(tmp_path / kind):
            assert not cell.lstrip().startswith(("=", "+", "-", "@")), cell


def cells(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            for row in csv.reader(io.StringIO(path.read_text(), newline="")):
                yield from row


def test_a_cell_that_begins_as_a_formula_is_text(tmp_path: Path) -> None:
    for start in ("=1+1", "+1", "-1", "@x", "  =1", "\t=1", "＝1"):
        entries = (material.entry("e", EntryKind.EVENT, date(2025, 3, 2), title=start),)
        view = msgspec.structs.replace(full_view(), case=material.case(entries))
        write_export(view, "csv", tmp_path)
        assert table((tmp_path / "entries.csv").read_bytes())[0]["title"] == f"'{start}"


@pytest.mark.parametrize("kind", list(FORMATS))
def test_simulated_says_so_in_each(kind: str, tmp_path: Path) -> None:
    text = written(full_view(simulated=True), kind, tmp_path).decode()
    assert "SIMULATED DATA" in text
    assert "SIMULATED" not in written(full_view(), kind, tmp_path / "real").decode()
    if kind in ("stop", "csv"):
        for path in (tmp_path / kind).rglob("*"):
            rows = table(path.read_bytes()) if path.is_file() else []
            assert all("True" in (row.get("simulated"), row.get("kholo_simulated")) for row in rows)


@pytest.mark.parametrize("kind", list(FORMATS))
def test_the_same_view_gives_the_same_bytes_in_any_order(kind: str, tmp_path: Path) -> None:
    view = full_view()
    shuffled = msgspec.structs.replace(
        view, days=view.days[::-1], assessments=view.assessments[::-1], clocks=view.clocks[::-1]
    )
    assert written(view, kind, tmp_path / "a") == written(shuffled, kind, tmp_path / "b")


SECRETS = {
    "probe_ip": "66.253.196.21", "report_id": "20260110T120000Z_webconnectivity_PK_64496_n1_SeCrEtReport00001",
    "probe_city": "Dera Ghazi Khan",
}  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> CaseView:
    """The case of Pakistan over a store of raw measurements that carry what must not leave."""
    folder = tmp_path_factory.mktemp("secrets")
    lines = []
    for number in range(40):
        begun = datetime(2024, 2, 16, tzinfo=UTC) + timedelta(hours=6 * number)
        blocked = number >= 8
        keys: dict[str, Any] = (
            {
                "queries": [raw.query(None, raw.IP, host="x.com"), raw.query(None, raw.IP, engine="doh", host="x.com")],
                "tls_handshakes": [raw.handshake("connection_reset", host="x.com")],
                "requests": [raw.exchange("https://x.com/", "connection_reset")],
            }
            if blocked
            else {}
        )
        made = raw.measurement("https://x.com/", **keys, probe_ip=SECRETS["probe_ip"])
        made |= {
            "measurement_uid": f"202402160000{number:02}.000000_PK_webconnectivity_00000000000000{number:02}",
            "report_id": SECRETS["report_id"].replace("00001", f"{number:05}"),
            "measurement_start_time": f"{begun:%Y-%m-%d %H:%M:%S}",
            "probe_city": SECRETS["probe_city"],
            "annotations": {"city": SECRETS["probe_city"], "network_name": "Home of A. Person"},
        }
        lines.append(raw.encode(made))
    (folder / "raw.jsonl").write_bytes(b"\n".join(line.strip() for line in lines) + b"\n")
    store = Store(folder / "store", create=True)
    summary = ingest(store, [folder / "raw.jsonl"], None, material.AS_OF)
    assert summary.new == 40
    return case_view(ROOT / "cases" / "x-pakistan-2024", store, judge_for(store), material.AS_OF)


@pytest.mark.parametrize("kind", list(FORMATS))
def test_nothing_that_points_at_a_person_leaves(kind: str, measured: CaseView, tmp_path: Path) -> None:
    assert measured.measurements >= 40
    text = written(measured, kind, tmp_path).decode()
    assert "Pakistan" in text
    for secret in (*SECRETS.values(), "SeCrEt", "Home of A. Person", "66.253."):
        assert secret not in text
    for uid in {row.measurement_uid for rows in measured.proofs.values() for row in rows}:
        assert uid not in text


def test_the_command(tmp_path: Path) -> None:
    case = ROOT / "cases" / "x-brazil-2024"
    done = kholo("export", case, "--format", "stop", "--out", tmp_path / "b.csv", "--as-of", "2026-01-01")
    assert done.returncode == 0, done.stderr
    (row,) = table((tmp_path / "b.csv").read_bytes())
    assert (row["country"], row["twitter_affected"], row["election"]) == ("Brazil", "Yes", "Yes")
    assert row["ordered_by"] == "Supreme Federal Court of Brazil (STF)"
    refused = kholo("export", case, "--format", "claimreview", "--out", tmp_path / "c.json")
    assert refused.returncode == 2
    assert b"--url" in refused.stderr
