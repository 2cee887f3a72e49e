"""The parts of the publish room: texts made harmless, answers held to their evidence, pages that are well made."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import Bracket, CaseError, DayState, Entry, EntryKind, Grade, State, UsageError
from kholo.publish import Book, CaseView, Site, answer, build_site
from kholo.publish.obeyed import replies
from kholo.publish.safe import cell, explorer_address, visible, web_address
from kholo.publish.spans import coverage, runs, union

from . import material
from .browsing import Window
from .material import full_view

_VOID = {"meta", "link", "br", "input", "img", "hr"}
_LONG = "W" * 400


def finding(identifier: str, state: State, start: datetime, end: datetime, **more: object) -> Entry:
    """A published finding of a measurement body."""
    claim = material.claim(state, start, end)
    row = material.entry(identifier, EntryKind.FINDING, start.date(), actor="observatory", proposition=claim)
    return msgspec.structs.replace(row, **more)


def day(number: int, state: State, network: str = "AS64500") -> DayState:
    """A day of March 2025."""
    row = next(row for row in material.days() if row.network == network)
    return msgspec.structs.replace(row, day=date(2025, 3, number), state=state)


class Tags(HTMLParser):
    """Notes ids, addresses, and every end tag that does not close the last open one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(found)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


def parsed(path: Path) -> Tags:
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    return tags


@given(st.text())
def test_nothing_hidden_survives_in_shown_text(text: str) -> None:
    # Guards against bidi overrides, control characters, zero-width and tag characters on a page.
    shown = visible(text)
    left = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}
    assert left <= set("\n\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd")
    assert visible(shown) == shown
    assert shown.isprintable() or not text.isprintable()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/",
        "https://",
        "https://user@example.org/",
        "https://exаmple.org/",
        "https://example.org/ x",
        "https://example.org/\u202e",
        'https://example.org/"onmouseover="x',
        "https://[bad/",
        "https://example.org:port/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_plain_web_address_is_no_link(address: str) -> None:
    assert web_address(address) is None


def test_plain_web_addresses_are_links() -> None:
    for address in ("http://example.org", "https://example.org:8443/a?b=c&d#e", "https://example.org/سروس"):
        assert web_address(address) == address


def test_a_cell_is_never_a_formula() -> None:
    # A table copied into a spreadsheet runs what begins with one of these.
    for text in ("=HYPERLINK(1)", " +1", "-1+cmd", "@SUM(1)"):
        assert cell(text).startswith("'")
    assert cell("Plain = text") == "Plain = text"


def test_only_a_uid_leads_to_the_explorer() -> None:
    assert explorer_address("../../evil") is None
    assert explorer_address("2025_x?y") is None
    assert explorer_address("20250310100000.1_PK_web_0a") == "https://explorer.ooni.org/m/20250310100000.1_PK_web_0a"


@pytest.mark.parametrize("case_id", ["", "..", "../up", "a/b", "A", "a\n", "x" * 101])
def test_an_id_that_names_no_folder_writes_nothing(case_id: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError):
        build_site(Site([full_view(), full_view(case_id=case_id)]), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_two_cases_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="chirp-test"):
        build_site(Site([full_view(), full_view()]), tmp_path)


def test_an_open_incident_is_claimed_up_to_its_last_result_only() -> None:
    view = msgspec.structs.replace(full_view(), incidents=(material.incident(end=None),))
    assert "from 10 March 2025 on, and still was when last measured on 5 April 2025" in answer(view).sentence


def test_the_certain_time_is_claimed_and_the_weakest_grade_shown() -> None:
    # The onset lies between 9 and 10 March: the 9th is not claimed. One part of grade B makes the whole B.
    end = Bracket(material.END, material.END + timedelta(days=3))
    strong, weak = material.incident(end=end), material.incident(end=end, grade=Grade.B)
    weak = msgspec.structs.replace(weak, incident_id="weak", state=State.THROTTLED)
    said = answer(msgspec.structs.replace(full_view(), incidents=(strong, weak)))
    assert "from 10 March 2025 to 5 April 2025" in said.sentence
    assert said.grade is Grade.B
    assert "recomputed" not in said.sentence


def test_networks_measured_and_fine_stay_in_the_count() -> None:
    incident = material.incident(end=Bracket(material.END, material.END))
    incident = msgspec.structs.replace(incident, networks=("AS64500",), spells=incident.spells[:1])
    days = tuple(day(number, State.OK, "AS64501") for number in range(11, 20))
    view = msgspec.structs.replace(full_view(), incidents=(incident,), days=days)
    assert "on 1 of 2 measured networks" in answer(view).sentence


def test_a_spell_shorter_than_the_incident_is_said() -> None:
    incident = material.incident(end=Bracket(material.END, material.END))
    early = Bracket(material.ONSET + timedelta(days=5), material.ONSET + timedelta(days=5))
    short = msgspec.structs.replace(incident.spells[0], end=early)
    view = msgspec.structs.replace(
        full_view(), incidents=(msgspec.structs.replace(incident, spells=(short, *incident.spells[1:])),)
    )
    assert "not on all of them for the whole time" in answer(view).sentence


def test_a_retracted_finding_is_no_evidence() -> None:
    first = finding("f1", State.BLOCKED, material.utc(2025, 3, 10), material.utc(2025, 3, 12))
    back = material.entry("f2", EntryKind.STATEMENT, date(2025, 3, 20), retracts=("f1",))
    assert answer(material.view(material.case((first,)))).state is State.BLOCKED
    assert answer(material.view(material.case((first, back)))).state is State.INSUFFICIENT


def test_a_finding_on_one_network_is_not_claimed_of_the_place() -> None:
    start, end = material.utc(2025, 3, 10), material.utc(2025, 3, 20)
    narrow = msgspec.structs.replace(material.claim(State.BLOCKED, start, end), networks=("AS64500",))
    some = finding("f1", State.BLOCKED, start, end, proposition=narrow)
    wide = finding("f2", State.BLOCKED, material.utc(2025, 3, 12), material.utc(2025, 3, 13))
    assert "on 1 network from 10 March 2025 to 19 March 2025" in answer(material.view(material.case((some,)))).sentence
    assert "blocked in Pakistan on 12 March 2025," in answer(material.view(material.case((some, wide)))).sentence


def test_findings_with_a_gap_are_not_run_together_and_dissent_is_shown() -> None:
    rows = (
        finding("f1", State.BLOCKED, material.utc(2025, 3, 10), material.utc(2025, 3, 12)),
        finding("f2", State.BLOCKED, material.utc(2025, 3, 20), material.utc(2025, 3, 25)),
        finding("f3", State.OK, material.utc(2025, 3, 21), material.utc(2025, 3, 22), actor="press"),
    )
    said = answer(material.view(material.case(rows)))
    assert "in 2 separate stretches between 10 March 2025 and 24 March 2025" in said.sentence
    assert "21 March 2025 (grade D)" in " ".join(said.more)


def test_press_alone_is_grade_d() -> None:
    row = finding("f1", State.BLOCKED, material.utc(2025, 3, 10), material.utc(2025, 3, 12), actor="press")
    assert answer(material.view(material.case((row,)))).grade is Grade.D


@pytest.mark.parametrize("state", [State.INSUFFICIENT, State.DOWN])
def test_days_that_say_nothing_are_not_enough_data(state: State) -> None:
    said = answer(material.view(material.case(), days=tuple(day(n, state) for n in range(2, 20))))
    assert said.state is State.INSUFFICIENT
    assert "not enough data" in said.sentence
    assert "reachable" not in said.sentence


def test_a_missing_day_breaks_a_run_and_is_a_gap() -> None:
    rows = [day(n, State.OK) for n in (2, 3, 4, 7, 8)] + [day(9, State.INSUFFICIENT)]
    assert [(run.first.day, run.last.day, run.state) for run in runs(rows)] == [
        (2, 4, State.OK),
        (7, 8, State.OK),
        (9, 9, State.INSUFFICIENT),
    ]
    cover = coverage("AS64500", rows, (date(2025, 3, 1), date(2025, 3, 10)))
    assert (cover.days, cover.decided, cover.longest) == (10, 5, (date(2025, 3, 5), date(2025, 3, 6)))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_a_union_covers_the_same_hours_as_its_parts(pairs: list[tuple[int, int]]) -> None:
    zero = datetime(2025, 1, 1, tzinfo=UTC)
    hours = [(zero + timedelta(hours=a), zero + timedelta(hours=b)) for a, b in pairs]
    whole = union(hours)
    for number in range(61):
        at = zero + timedelta(hours=number, minutes=30)
        assert sum(a <= at < b for a, b in whole) == any(a <= at < b for a, b in hours)


def hostile_view() -> CaseView:
    """Everything a case can say, in texts that break pages: markup, control characters, a word of 400 letters."""
    text = f"{_LONG} ]]>&<b> \x00\x0b\u2028\ud800 --> </style>"
    entries = tuple(
        msgspec.structs.replace(row, title=text, summary=text, notes=text, sources=(material.source("x", text),))
        for row in material.record()
    )
    case = material.case(entries, title=text, summary=text, limits=(text,))
    names = dict.fromkeys(material.NETWORKS, text)
    proofs = {"chirp-pk-20250310": (material.verdict("a b/../" + _LONG),)}
    others = material.others()
    others = msgspec.structs.replace(
        others,
        names={"ioda": text},
        taken_back=tuple(msgspec.structs.replace(row, because=(text, text)) for row in others.taken_back),
        outages=tuple(msgspec.structs.replace(row, detail=text, signal=text) for row in others.outages),
        elsewhere=tuple(msgspec.structs.replace(row, source=text) for row in others.elsewhere),
    )
    return msgspec.structs.replace(
        full_view(), case=case, network_names=names, proofs=proofs, service_name=text[:20] + text[-40:], others=others
    )


@pytest.mark.parametrize("hostile", [False, True])
def test_pages_nest_ids_differ_and_links_arrive(hostile: bool, tmp_path: Path) -> None:
    for path in build_site(Site([hostile_view() if hostile else full_view()]), tmp_path):
        if path.suffix != ".html":
            continue
        tags = parsed(path)
        assert tags.wrong == []
        assert tags.open == []
        assert len(tags.ids) == len(set(tags.ids))
        for link in tags.links:
            href = link["href"] or ""
            if href.startswith("#"):
                assert href[1:] in tags.ids
            elif href.startswith("http"):
                assert "noopener noreferrer" in (link["rel"] or "")
            else:
                target, _, fragment = href.partition("#")
                assert (path.parent / target).is_file(), href
                assert not fragment or f'id="{fragment}"' in (path.parent / target).read_text(encoding="utf-8")


def test_pictures_are_well_formed_whatever_is_in_them(tmp_path: Path) -> None:
    # XML knows no control characters at all: one would lose the whole picture.
    build_site(Site([hostile_view()]), tmp_path)
    page = (tmp_path / "en/cases/chirp-test/index.html").read_text(encoding="utf-8")
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 6, "two timelines, two calendars, two clocks"
    for picture in (*pictures, (tmp_path / "data/chirp-test/timeline.svg").read_text(encoding="utf-8")):
        root = ET.fromstring(picture)
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
        assert root.find("{http://www.w3.org/2000/svg}desc") is not None


def test_data_is_plain_ascii_that_no_reader_takes_for_a_page(tmp_path: Path) -> None:
    build_site(Site([hostile_view()]), tmp_path)
    raw = (tmp_path / "data/chirp-test/data.json").read_bytes()
    assert raw.isascii()
    assert not set(b"<>&") & set(raw)
    msgspec.json.decode(raw.replace(b"\\ud800", b""))


def test_real_rows_lead_to_the_explorer_and_invented_ones_do_not(tmp_path: Path) -> None:
    build_site(Site([full_view(), full_view(simulated=True, case_id="fake")]), tmp_path)
    real = (tmp_path / "en/cases/chirp-test/index.html").read_text(encoding="utf-8")
    fake = (tmp_path / "en/cases/fake/index.html").read_text(encoding="utf-8")
    uid = "20250310100000.000001_PK_webconnectivity_0a1b2c3d4e5f6071"
    assert f"kholo explain {uid}" in real
    assert f"https://explorer.ooni.org/m/{uid}" in real
    assert f"kholo explain {uid}" in fake
    assert "explorer.ooni.org" not in fake


def test_a_full_page_stays_light_on_a_slow_line(tmp_path: Path) -> None:
    build_site(Site([full_view()]), tmp_path)
    assert (tmp_path / "en/cases/chirp-test/index.html").stat().st_size < 120_000


def test_a_long_series_is_bounded() -> None:
    # 40 networks that change their state every day for two years must not make an endless page.
    row = material.days()[0]
    flips = tuple(
        msgspec.structs.replace(
            row,
            network=f"AS{number + 1}",
            day=date(2024, 1, 1) + timedelta(days=offset),
            state=State.OK if offset % 2 else State.BLOCKED,
        )
        for number in range(40)
        for offset in range(730)
    )
    case = material.case(start=date(2024, 1, 1), end=date(2025, 12, 30))
    page = Book(Site([material.view(case, days=flips)])).page_at("en/cases/chirp-test/")
    assert page is not None
    assert len(page) < 1_500_000


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_is_wider_than_its_screen(width: int, window: Window, tmp_path: Path) -> None:
    # A picture of the full page is as wide as its content: it shows any overflow without a script.
    made = Book(Site([hostile_view(), full_view(simulated=True, case_id="fake")]))
    (tmp_path / "front.html").write_bytes(made.page_at("en/") or b"")
    (tmp_path / "case.html").write_bytes(made.page_at("en/cases/chirp-test/") or b"")
    with window.tab(tmp_path.as_uri(), width=width, script=False) as tab:
        for name in ("front.html", "case.html"):
            tab.open(name)
            tab.ask("unfold()")
            assert tab.ask("wide()") == [], name
            picture = tab.page.screenshot(full_page=True)
            assert int.from_bytes(picture[16:20], "big") == width, name
            assert tab.page.locator("h1").is_visible()
            assert tab.page.locator(".answer, .say").first.is_visible()


@pytest.mark.parametrize(("until", "heard"), [(None, 2), (datetime(2025, 3, 31, tzinfo=UTC), 1)])
def test_words_after_an_order_lapsed_are_no_answer_to_it(until: datetime | None, heard: int) -> None:
    denial, order, *_ = material.record()
    assert order.obligation is not None
    held = msgspec.structs.replace(order, obligation=msgspec.structs.replace(order.obligation, until=until))
    later = [
        msgspec.structs.replace(denial, id=f"d{day}", earliest=date(2025, month, day), latest=date(2025, month, day))
        for month, day in ((3, 25), (4, 2))
    ]
    assert len(replies(material.view(material.case((held, *later))), held)) == heard
