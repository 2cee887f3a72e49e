"""Charts: nothing outside of the picture, the table says what the picture shows, and no name does harm."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kholo.detect.rates import RateFinding, Side, Transfer
from kholo.detect.throughput import RatePoint, throughput
from kholo.model import Clock, DayState, Effect, EffectInput, EntryKind, Range, State
from kholo.publish import Book, CaseView, Site
from kholo.publish.charts.calendar import AFTER, MOST_YEARS, WORST, calendar, calendar_days, stretches
from kholo.publish.charts.clockline import clock_line
from kholo.publish.charts.frame import Chart
from kholo.publish.charts.shares import Hit, networks, share_rows, shares
from kholo.publish.charts.throughput import axis_of, speed_charts, speed_rows, when
from kholo.publish.data import case_data
from kholo.publish.language import ENGLISH, language
from kholo.publish.rows import case_page

from . import material
from .material import full_view, source, view

HOSTILE = "\"><script>alert(1)</script>\u202e=cmd|' /C calc'!A0"
UR = language("ur")
_DAYS = st.dates(date(2023, 11, 20), date(2026, 2, 10))
_ROWS = st.lists(
    st.tuples(_DAYS, st.sampled_from(["AS1", "AS2", "AS3"]), st.sampled_from(list(State))),
    max_size=60,
    unique_by=lambda row: row[:2],
)


def day_state(day: date, network: str, state: State) -> DayState:
    """A day; the counts don't matter to a calendar."""
    return DayState("chirp", "PK", network, day, state, 1, 1, 0, 0, 0, 3, False)


class Shapes(HTMLParser):
    """Every point that a picture draws to, and the box that it says it fits into."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.points: list[tuple[float, float]] = []
        self.box = (0.0, 0.0)
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "svg":
            _, _, width, height = map(float, found["viewbox"].split())
            self.box = width, height
        if tag == "pattern":
            self._inside = True
        if self._inside:
            return
        at = {
            name: float(found[name]) for name in ("x", "y", "x1", "x2", "y1", "y2", "width", "height") if name in found
        }
        if tag == "rect":
            self.points += [(at["x"], at["y"]), (at["x"] + at["width"], at["y"] + at["height"])]
        elif tag == "line":
            self.points += [(at["x1"], at["y1"]), (at["x2"], at["y2"])]
        elif tag == "text":
            self.points.append((at["x"], at["y"]))
        elif tag == "path":
            self.points += walked(found["d"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag == "pattern":
            self._inside = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "pattern":
            self._inside = False

    @property
    def outside(self) -> list[tuple[float, float]]:
        """Points that are not inside of the box."""
        return [(x, y) for x, y in self.points if not (0 <= x <= self.box[0] and 0 <= y <= self.box[1])]


def walked(data: str) -> list[tuple[float, float]]:
    """The points of a path of M, L, m, l, h, v, a and z."""
    out: list[tuple[float, float]] = []
    x = y = 0.0
    for command, rest in re.findall(r"([MLmlhvaz])([^MLmlhvaz]*)", data):
        values = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        if command in "ML":
            x, y = values
        elif command in "ml":
            x, y = x + values[0], y + values[1]
        elif command == "h":
            x += values[0]
        elif command == "v":
            y += values[0]
        elif command == "a":
            for place in range(0, len(values), 7):
                x, y = x + values[place + 5], y + values[place + 6]
        out.append((x, y))
    return out


def cells_of(picture: str) -> Counter[str]:
    """Squares drawn, by what fills them; those of nothing are all cells."""
    drawn = re.findall(r'<path d="((?:M[\d. ]+h[\d.]+v[\d.]+h-[\d.]+z)+)" (?:class|fill)="([^"]+)"', picture)
    out: Counter[str] = Counter()
    for data, look in drawn:
        out[re.sub(r"url\(#.+-([a-z]+)\)", r"\1", look)] += data.count("M")
    return out


def made(rows: list[tuple[date, str, State]], window: tuple[date, date]) -> Chart | None:
    """A calendar of rows."""
    days = [day_state(*row) for row in rows]
    return calendar(view(material.case()), days, window, "Calendar", "days", ENGLISH)


@settings(deadline=None, max_examples=60)
@given(_ROWS, _DAYS, st.integers(0, 700))
def test_a_calendar_has_a_cell_a_day_and_its_table_counts_the_same(
    rows: list[tuple[date, str, State]], first: date, length: int
) -> None:
    window = first, first + timedelta(days=length)
    days = calendar_days([day_state(*row) for row in rows], window)
    chart = made(rows, window)
    inside = [row for row in rows if window[0] <= row[0] <= window[1]]
    assert (chart is None) == (not inside)
    if chart is None:
        return
    assert [one.day for one in days] == [days[0].day + timedelta(days=n) for n in range(len(days))]
    for one in days:
        states = {state for day, _, state in inside if day == one.day}
        assert (one.state is None) == (not states), "an empty day is nothing measured"
        assert one.state is None or one.state == min(states, key=WORST.index)
    counted = Counter(one.state.value for one in days if one.state)
    in_table: Counter[str] = Counter()
    for rows_, stretch in zip(chart.rows, stretches(days), strict=True):
        in_table[rows_[2]] += int(rows_[1].replace(",", ""))
        assert int(rows_[1]) == len(stretch)
    assert sum(in_table.values()) == len(days)
    for picture in chart.pictures:
        drawn = cells_of(picture.partition("<g>")[0])
        assert drawn.pop("empty") == len(days)
        assert drawn == counted
        assert Shapes(picture).outside == []
    assert made(rows[::-1], window) == chart


def test_a_calendar_of_any_window_stays_small() -> None:
    window = date.min, date.max
    days = calendar_days([day_state(date(2025, 3, 10), "AS1", State.OK)], window)
    assert days[-1].day == date(2025, 3, 10) + timedelta(days=AFTER)
    assert days[0].day == date(days[-1].day.year - MOST_YEARS + 1, 1, 1)
    last = calendar_days([day_state(date.max, "AS1", State.OK), day_state(date.min, "AS1", State.OK)], window)
    assert last[-1].day == date.max


def share(network: str, low: float, central: float, high: float, publisher: str = "The Regulator") -> EffectInput:
    """A share of the users with its source."""
    return EffectInput(
        network, Range(low, central, high), "share", 2024, "Subscriptions", (source(publisher=publisher),)
    )


def with_shares(*given_: EffectInput, base: CaseView | None = None) -> CaseView:
    """The full view with shares of networks among its inputs."""
    return msgspec.structs.replace(base or full_view(), effect=Effect((), given_))


def test_networks_stand_by_share_and_one_without_is_said_not_to_be_known() -> None:
    shown = with_shares(share("AS64501", 0.1, 0.2, 0.3), share("AS64999", 0.3, 0.4, 0.5))
    found = networks(shown)
    assert [(one.network, one.hit) for one in found] == [
        ("AS64999", Hit.UNKNOWN), ("AS64501", Hit.BLOCKED), ("AS64500", Hit.BLOCKED), ("AS64502", Hit.BLOCKED),
    ]  # fmt: skip
    chart = shares(shown, ENGLISH)
    assert chart is not None
    assert [re.sub("<[^>]+>", "", row[0]) for row in chart.rows] == [
        "AS64999", "AS64501 Second Mobile", "AS64500 First Telecom", "AS64502",
    ]  # fmt: skip
    assert [row[2] for row in chart.rows] == [
        "40% (30% to 50%), 2024", "20% (10% to 30%), 2024", "share not known", "share not known",
    ]  # fmt: skip
    for picture in chart.pictures:
        texts = re.findall(r'class="t strong"[^>]*>([^<]+)<', picture)
        assert texts == ["40%", "20%"]
        assert Shapes(picture).outside == []
    widths = [float(one) for one in re.findall(r'width="([\d.]+)" height="14" class="bar"', chart.pictures[0])]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)


def test_without_a_share_there_is_a_list_and_no_picture() -> None:
    chart = shares(full_view(), ENGLISH)
    assert chart is not None
    assert chart.pictures == ()
    assert {row[2] for row in chart.rows} == {"share not known"}
    assert shares(view(material.case()), ENGLISH) is None


def test_only_incidents_or_findings_say_that_a_network_was_blocked() -> None:
    base = msgspec.structs.replace(full_view(), incidents=(), case=material.case())
    assert {one.hit for one in networks(base)} == {Hit.CLEAR}
    claim = msgspec.structs.replace(material.claim(State.BLOCKED, material.ONSET, material.END), networks=("AS64500",))
    finding = material.entry("f1", EntryKind.FINDING, date(2025, 3, 12), actor="observatory", proposition=claim)
    told = msgspec.structs.replace(base, case=material.case((finding,)))
    assert [(one.network, one.by) for one in networks(told) if one.hit is Hit.BLOCKED] == [("AS64500", "findings")]
    chart = shares(told, ENGLISH)
    assert chart is not None
    assert chart.rows[0][1] == "blocked for some time, by published findings"


@example([(0.0, 0.0, 5e-324)])
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=30))
def test_bars_stay_inside_of_the_picture(ends: list[tuple[float, ...]]) -> None:
    given_ = [share(f"AS{number}", min(three), sorted(three)[1], max(three)) for number, three in enumerate(ends, 1)]
    chart = shares(with_shares(*given_), ENGLISH)
    assert chart is not None
    for picture in chart.pictures:
        assert Shapes(picture).outside == []
    assert len(list(share_rows(with_shares(*given_)))) == len(chart.rows)


@given(
    st.integers(0, 800 * 24),
    st.none() | st.integers(0, 900),
    st.none() | st.integers(-50, 900),
)
def test_a_clock_is_drawn_from_start_to_stop_with_what_lies_between(
    hours: int, length: int | None, due: int | None
) -> None:
    started = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    stopped = None if length is None else started + timedelta(days=length)
    clock = msgspec.structs.replace(
        material.clocks()[0], started=started, stopped=stopped,
        due=None if due is None else started + timedelta(days=due),
    )  # fmt: skip
    page = case_page(msgspec.structs.replace(full_view(), clocks=(clock,)))
    drawn = clock_line(page, page.clocks[0], ENGLISH)
    assert Shapes(drawn.picture).outside == []
    end = (stopped or max(material.AS_OF, started)).date()
    inside = [
        row.entry.id
        for row in page.entries
        if started.date() <= row.entry.earliest <= end and row.entry.id != clock.entry_id
    ]
    marked = [*drawn.marks.said, *drawn.marks.asked]
    assert {one.entry.id for one in marked} <= set(inside)
    assert "2025-03-12-denial" not in inside or any(one.entry.kind is EntryKind.DENIAL for one in drawn.marks.said)
    signs = re.findall(r'<path d="([^"]+)" class="said"', drawn.picture)
    places = {round(8 + 280 * _part(one.entry.earliest, clock), 1) for one in drawn.marks.said}
    assert sum(data.count("M") for data in signs) == len(places)
    assert ("still running" in drawn.picture) == (stopped is None)


def _part(day: date, clock: Clock) -> float:
    start = clock.started
    end = max(clock.stopped or max(material.AS_OF, start), start + timedelta(days=1))
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return min(1.0, max(0.0, (at - start) / (end - start)))


def transfer(service: str | None, host: str, moment: datetime, report: str, kbits: float | None) -> Transfer:
    """A transfer on AS64500."""
    rate = None if kbits is None else kbits * 1_000
    return Transfer(service, host, "PK", "AS64500", moment, report, f"{host}-{report}", False, rate)


def test_the_series_is_the_median_over_reports_of_each_day() -> None:
    noon = datetime(2025, 3, 1, 12, tzinfo=UTC)
    seen = []
    for number, (own, other) in enumerate([(100.0, 8000.0), (140.0, 9000.0), (None, 4000.0)]):
        seen.append(transfer("chirp", "chirp.example", noon, f"r{number}", own))
        seen.append(transfer(None, "a.example", noon, f"r{number}", other))
    seen.append(transfer("chirp", "chirp.example", noon + timedelta(days=2), "r9", 5000.0))
    seen.append(transfer("other", "other.example", noon, "r1", 1.0))
    seen.append(transfer("chirp", "chirp.example", noon + timedelta(days=90), "r10", 1.0))
    window = date(2025, 3, 1), date(2025, 4, 30)
    found = throughput(seen, "chirp", ["AS64500"], window, simulated=False)
    # 100 and 140 kbit/s finished, one was cut off: 120 of 3 reports. Others: 4000, 8000, 9000.
    assert found == (
        RatePoint("AS64500", date(2025, 3, 1), 1, Side(3, 120.0, 1), Side(3, 8000.0, 0), simulated=False),
        RatePoint("AS64500", date(2025, 3, 3), 1, Side(1, 5000.0, 0), Side(0, None, 0), simulated=False),
    )
    assert throughput(seen[::-1], "chirp", ["AS64500"], window, simulated=False) == found
    (first, last) = throughput(seen, "chirp", ["AS64500"], (date(2025, 3, 1), date(2025, 12, 31)), simulated=False)[::2]
    assert (first.first, first.days, first.service.reports) == (date(2025, 2, 24), 7, 3)
    assert (last.first, last.service.kbits) == (date(2025, 5, 26), 1.0)
    assert throughput(seen, "chirp", ["AS64500"], window, simulated=True) == ()


def slow_finding() -> RateFinding:
    """Slow from 10 to 12 March 2025."""
    first, last = datetime(2025, 3, 10, 9, tzinfo=UTC), datetime(2025, 3, 12, 9, tzinfo=UTC)
    side = Side(3, 120.0, 0)
    return RateFinding(
        "chirp", "PK", "AS64500", State.THROTTLED, "targeted", None, None, first, last, 50.0, True, None, side, side,
        side, "slow", 1.0, False, (),
    )  # fmt: skip


def point(day: int, own: float | None, others: float | None) -> RatePoint:
    """A day in March 2025."""
    return RatePoint("AS64500", date(2025, 3, day), 1, Side(2, own), Side(2, others), simulated=False)


def test_throughput_says_before_during_and_after_and_holds_the_numbers_of_the_picture() -> None:
    points = (point(1, 6000.0, 8000.0), point(10, 120.0, 8000.0), point(12, None, 8100.0), point(20, 6000.0, None))
    shown = msgspec.structs.replace(full_view(), speeds=points, slow=(slow_finding(),))
    (chart,) = speed_charts(shown, ENGLISH)
    assert [row[1] for row in chart.rows] == ["before", "while throttled", "while throttled", "after"]
    assert [row[2] for row in chart.rows] == ["6,000 (2)", "120 (2)", "none finished (2 reports)", "6,000 (2)"]
    # On an axis from 100 kbit/s to 10 Mbit/s 120 kbit/s stands 3.96 % up, and 6 Mbit/s 88.9 %.
    axis = axis_of(points, 0.0)
    assert (axis.low, axis.high) == (2, 4)
    assert [round(1 - axis.y(rate) / 190, 4) for rate in (120.0, 6000.0, 10_000.0)] == [0.0396, 0.8891, 1.0]
    for picture in chart.pictures:
        assert Shapes(picture).outside == []
        (own,) = re.findall(r'<path d="([^"]+)" class="join own"/><path d="[^"]+" class="at own"/></g><g><g>', picture)
        assert own.count("M") + own.count("L") == 3
        assert own.count("L") == 0, "days that nobody measured are not joined"
    assert len(list(speed_rows(shown))) == 4
    assert when(point(11, 1.0, 1.0), ()) == "between"


def test_a_point_of_one_report_is_a_cross_that_nothing_is_joined_to() -> None:
    alone = RatePoint("AS64500", date(2025, 3, 2), 1, Side(1, 150.0), Side(2, 8000.0), simulated=False)
    points = (point(1, 6000.0, 8000.0), alone, point(3, 6100.0, 8100.0), point(4, 6200.0, 8200.0))
    shown = msgspec.structs.replace(full_view(), speeds=points, slow=(slow_finding(),))
    (chart,) = speed_charts(shown, ENGLISH)
    for picture in chart.pictures:
        assert "one report only" in picture
        joined = re.findall(r'<path d="([^"]+)" class="join own"/><path d="([^"]+)" class="at own"/><path', picture)
        assert [(path.count("M"), path.count("L"), marks.count("M")) for path, marks in joined] == [(2, 1, 3)]
        assert len(re.findall(r'class="lone own"', picture)) == 1
        assert Shapes(picture).outside == []
    (without,) = speed_charts(msgspec.structs.replace(shown, speeds=points[2:]), ENGLISH)
    assert "one report only" not in without.pictures[0]


def test_the_figures_of_the_charts_stand_in_the_data() -> None:
    points = (point(1, 6000.0, 8000.0), point(12, None, 8100.0))
    shown = msgspec.structs.replace(
        with_shares(share("AS64500", 0.1, 0.25, 0.3)), speeds=points, slow=(slow_finding(),)
    )
    said = msgspec.json.decode(case_data(case_page(shown)))
    assert said["speeds"] == msgspec.to_builtins(list(speed_rows(shown)))
    assert [(row["first"], row["service_kbits"], row["others_kbits"]) for row in said["speeds"]] == [
        ("2025-03-01", 6000.0, 8000.0), ("2025-03-12", None, 8100.0),
    ]  # fmt: skip
    assert said["networks"] == msgspec.to_builtins(list(share_rows(shown)))
    known = {row["network"]: row["share_central"] for row in said["networks"]}
    assert known["AS64500"] == 0.25
    assert None in known.values(), "a network without a share is there too"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 31), st.none() | st.floats(0.1, 1e7), st.none() | st.floats(0.1, 1e7)),
        min_size=1, max_size=20, unique_by=lambda one: one[0],
    )
)  # fmt: skip
def test_rates_of_any_size_stay_inside_of_the_picture(rows: list[tuple[int, float | None, float | None]]) -> None:
    points = tuple(point(*row) for row in rows)
    shown = msgspec.structs.replace(full_view(), speeds=points, slow=(slow_finding(),))
    for picture in speed_charts(shown, UR)[0].pictures:
        assert Shapes(picture).outside == []
    assert speed_charts(msgspec.structs.replace(shown, speeds=points[::-1]), UR) == speed_charts(shown, UR)


def test_hostile_names_are_harmless_in_every_chart() -> None:
    shown = with_shares(share("AS64500", 0.1, 0.2, 0.3, HOSTILE))
    case = msgspec.structs.replace(shown.case, title=HOSTILE)
    shown = msgspec.structs.replace(
        shown, case=case, service_name=HOSTILE, network_names={"AS64500": HOSTILE},
        speeds=(point(1, 1.0, 1.0),), slow=(slow_finding(),),
    )  # fmt: skip
    book = Book(Site([shown], address=f"https://example.org/{HOSTILE}"))
    for address in book.addresses():
        page = book.page_at(address)
        assert page is not None
        assert b"<script>alert" not in page, address
        assert "\u202e".encode() not in page, address


class Copied(HTMLParser):
    """The elements and the text of what somebody copied."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_code_to_copy_is_one_frame_whatever_the_title_says() -> None:
    shown = msgspec.structs.replace(full_view(), case=msgspec.structs.replace(full_view().case, title=HOSTILE))
    page = Book(Site([shown], address="https://example.org/kholo/")).page_at("en/cases/chirp-test/")
    assert page is not None
    (code,) = re.findall(r'<pre class="copy">(.+?)</pre>', page.decode(), re.DOTALL)

    ((tag, attributes),) = Copied(Copied(code).text).found
    assert (tag, attributes["src"]) == ("iframe", "https://example.org/kholo/en/embed/chirp-test/")
    assert attributes["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"


def test_a_page_to_embed_holds_the_answer_the_day_and_a_link_and_runs_nothing() -> None:
    book = Book(Site([full_view(), full_view(case_id="fake", simulated=True)]))
    text = (book.page_at("en/embed/chirp-test/") or b"").decode()
    assert "Chirp was blocked in Pakistan" in text
    assert "1 June 2025" in text
    assert 'href="../../../en/cases/chirp-test/index.html" target="_blank"' in text
    assert "<script" not in text
    assert re.findall(r"(?:src|action)=", text) == []
    assert "SIMULATED DATA" in (book.page_at("en/embed/fake/") or b"").decode()
