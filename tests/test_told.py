"""Sentences of incidents and stories on pages: the same in every language, and harmless whatever they are made of."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from kholo.detect.wording import say as of_incident
from kholo.judge import Judge
from kholo.judge.story import tell
from kholo.judge.wording import say as of_story
from kholo.model import Said
from kholo.observe import observe
from kholo.publish.language import ENGLISH, language, language_codes
from kholo.publish.safe import visible
from kholo.publish.told import line, ours, reasons, told, told_html
from kholo.record.wording import say as of_record
from kholo.sources import registry
from kholo.sources.items import Item
from kholo.sources.source import Context
from kholo.wording import Told, said

from . import material, raw
from .conftest import NOW
from .pages import latin_left
from .sentences import SENTENCES, spoken
from .test_judge import CASES

UR = language("ur")
HOSTILE = "<script>alert(1)</script>\u202e\u0007\"'&lt;<img src=x> {name} {0} %s %(a)s » ] Drop me a line here"


class _Tags(HTMLParser):
    """The elements of a piece of a page, and its text."""

    def __init__(self, markup: Markup) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(str(markup))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def parts_of(key: str, value: str | int | tuple[Said, ...]) -> Said:
    return Said(key, tuple((name, value) for name in sorted(SENTENCES[key].parts)))


_VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([HOSTILE, "2024-02-30", "2026-01-13 99:00", "17 February 2024", "31 February 2024", "PK, ZZ", ""]),
    st.integers(-(10**9), 10**12),
)
_KEYS = st.sampled_from(sorted(SENTENCES))
#: `state` and `claimed` are words of a closed list, and nothing else is ever filled in there.
_CLOSED = {"state": "blocked", "claimed": "ok and throttled"}


@st.composite
def sentences(draw: st.DrawFn, depth: int = 2) -> Said:
    """Any sentence with anything in its braces, other sentences too."""
    key = draw(_KEYS)
    filled: list[tuple[str, Any]] = []
    for name in sorted(SENTENCES[key].parts):
        inner = depth and draw(st.booleans())
        anything = st.lists(sentences(depth - 1), max_size=2).map(tuple) if inner else _VALUES
        filled.append((name, _CLOSED[name] if name in _CLOSED else draw(anything)))
    return Said(key, tuple(filled))


@given(st.lists(sentences(), min_size=1, max_size=3))
def test_whatever_is_filled_in_is_text_in_every_language(made: list[Said]) -> None:
    for code in language_codes():
        shown = _Tags(told_html(made, spoken(made), language(code)))
        assert set(shown.tags) <= {"bdi", "code"}
        assert visible(shown.text) == shown.text


@pytest.mark.parametrize("key", sorted(key for key in SENTENCES if not key.startswith("diff.")))
def test_every_sentence_is_said_in_urdu_with_its_parts(key: str) -> None:
    one = parts_of(key, 4_711)
    shown = told((one,), "", {}, UR)
    assert shown.count("۴٬۷۱۱") == SENTENCES[key].text.count("{"), shown
    words = re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", SENTENCES[key].text))
    assert bool(re.search(r"[\u0620-\u06d3]", UR.about(key, SENTENCES[key].text))) == bool(words)
    hostile = parts_of(key, HOSTILE) if not _CLOSED.keys() & SENTENCES[key].parts else one
    assert "<script" not in told_html((hostile,), "", UR)


def test_english_stays_as_it_was_written_but_for_dates() -> None:
    text = of_incident("dark", networks="AS1, AS2")
    assert line(text, ENGLISH) == Markup(str(text))
    for written, shown in (
        ("2024-02-17", "17 February 2024"),
        ("2024-02-17 18:05 UTC", "17 February 2024, 18:05 UTC"),
        ("2024-02-30", "2024-02-30"),
    ):
        held = of_record("clock.lapsed", until=written)
        assert told(held.said, str(held), {}, ENGLISH) == f" The order held until {shown}."
    named = of_record("clock.brief", entries="2024-02-17, 2024-02-17-order")
    names = {"2024-02-17": "entry 1", "2024-02-17-order": "entry 2"}
    assert told(named.said, str(named), names, ENGLISH).endswith("the clock: entry 1, entry 2.")
    assert told((), "Said by people on 2024-02-17.", {}, ENGLISH) == "Said by people on 2024-02-17."


def test_names_and_addresses_keep_their_own_direction() -> None:
    step = of_story("story.tcp", address="[2001:db8::1]:443", end=of_story("story.tcp.ok"))
    assert line(step, UR) == "<bdi>[2001:db8::1]:443</bdi> سے رابطہ: رابطہ ہو گیا۔"
    lookup = of_story("story.dns.control", name="x.com", type=Told(), got="1.2.3.4, 2001:db8::1")
    assert "<bdi>1.2.3.4</bdi>، <bdi>2001:db8::1</bdi>" in line(lookup, UR)
    page = of_story("story.title", title='محدود "<b>')
    assert line(page, UR) == "، عنوان «<bdi>محدود &#34;&lt;b&gt;</bdi>»"


def test_figures_dates_and_places_are_the_languages_own() -> None:
    outage = of_incident(
        "outage.line", source="ioda", signal="bgp", line="AS1", since="2026-01-13 16:00",
        until=of_incident("outage.open"), lost=of_incident("outage.lost", percent="90"),
    )  # fmt: skip
    shown = _Tags(line(outage, UR)).text
    assert "۱۳ جنوری ۲۰۲۶، ۱۶:۰۰ یو ٹی سی" in shown
    assert "۹۰٪" in shown
    assert "پاکستان، جرمنی" in line(of_incident("elsewhere.down", hit=2, all=3, places="PK, DE"), UR)


def test_what_another_version_said_stays_english_and_says_so() -> None:
    old = material.incident(end=None)
    text = "only this was known then"
    for behind in ((), ((Said("gone"),),), ((Said("dark", (("hosts", "x"),)),),), ((Said("outage.open"),),) * 2):
        kept = msgspec.structs.replace(old, because=(text,), said=behind)
        assert reasons(kept, UR) == [f'<span lang="en" dir="auto">{text}</span>']
        assert reasons(kept, ENGLISH) == [text]


def test_the_reason_of_a_rule_that_we_do_not_ship_is_marked_as_english() -> None:
    assert ours("rule", "<Own> rule.", UR) == '<span lang="en" dir="auto">&lt;Own&gt; rule.</span>'
    assert ours("rule", "<Own> rule.", ENGLISH) == "&lt;Own&gt; rule."
    assert ours("rule", "No rules exist yet for this test.", UR) == "اس ٹیسٹ کے لیے ابھی کوئی قاعدہ نہیں۔"


@pytest.mark.parametrize("case", CASES)
def test_a_story_is_its_sentences_and_none_of_it_is_left_in_english(case: str, judge: Judge) -> None:
    ((measurement, payload),) = registry.decode(Item("test", 1, raw.encode(CASES[case][0])), Context(NOW))  # type: ignore[misc]
    made = tell(judge, measurement, observe(payload, measurement.input))
    for name in ("probe", "control", "marks", "missing"):
        texts, plain = getattr(made, name), getattr(made.story, name)
        assert tuple(spoken(said(text)) for text in texts) == plain == texts
        for text in texts:
            assert latin_left(f"<p>{line(text, UR)}</p>") == []
    assert latin_left(f"<p>{ours('rule', made.story.why, UR)}</p>") == []
    assert "lang=" not in ours("rule", made.story.why, UR)
    assert msgspec.json.decode(msgspec.json.encode(made.story), type=type(made.story)) == made.story
