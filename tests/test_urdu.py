"""What a reader of Urdu alone is shown: no English but what says so, and nothing that stands the wrong way round."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from kholo.publish.catalogue import PAGES
from kholo.publish.language import language
from kholo.publish.told import plain, prose, recorded

from .commands import kholo
from .pages import latin_left
from .test_site import files_of, html, site

UR = language("ur")
CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages in Urdu of the shipped cases as `make demo` builds them, and those of cases with everything in them."""
    out = tmp_path_factory.mktemp("demo")
    assert kholo("demo", *sorted(CASES.iterdir()), "--out", out).returncode == 0
    made = {f"shipped/{path.relative_to(out)}": path.read_text() for path in (out / "site" / "ur").rglob("*.html")}
    return made | {name: text for name, text in html(files_of(site())) if name.startswith("ur/")}


def test_no_latin_letters_stand_bare_on_a_page_in_urdu(pages: dict[str, str]) -> None:
    assert len(pages) > 150
    assert {name: left for name, text in pages.items() if (left := set(latin_left(text)))} == {}


def test_every_text_has_figures_and_marks_of_its_own() -> None:
    for message in read_po(io.BytesIO(PAGES.path("ur").read_bytes())):
        strings = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
        for text in strings if message.id else ():
            plain_text = re.sub(r"<code>.*?</code>|<[^>]*>|\{\w+\}|%\(\w+\)s", "", text)
            assert latin_left(f"<p>{prose(plain_text, UR)}</p>") == [], text


def test_the_three_part_test_names_laws_reasons_and_entries_in_urdu(pages: dict[str, str]) -> None:
    test = pages["shipped/site/ur/cases/x-pakistan-2024/index.html"].partition('id="test"')[2].partition("<h2")[0]
    assert re.search("انسدادِ الیکٹرانک جرائم ایکٹ ۲۰۱۶ \\(پیکا\\) \\([^;]*، اندراج ۳۳\\)", test)
    assert re.search("دیا گیا مقصد: [^;]*، اندراج ۲۳\\)؛ [^;]*، اندراج ۲۶\\)؛ ", test)
    assert not re.search(r"\bentry [0-9]|\bf[0-9]{2}\b", re.sub("<[^>]*>", "", test))


def test_the_eye_for_bare_letters_is_not_blind() -> None:
    assert latin_left("<p>حالت: reset</p>") == ["reset"]
    assert latin_left("<p>درجہ A</p>") == ["A"]
    assert latin_left("<p>آرٹیکل 19، ۹۰% اور, پھر; بس</p>") == ["19", "%", ",", ";"]
    assert latin_left('<p>حالت <code dir="ltr">reset</code> <bdi>X</bdi> <span lang="en">of it</span></p>') == []
    assert latin_left('<p aria-label="how it was done">حالت</p>') == ["how it was done"]
    assert latin_left("<svg><title>بیان: \u2068how it was done\u2069</title></svg>") == []
    assert latin_left("<svg><title>بیان: how it was done</title></svg>") == ["how it was done"]


def test_a_run_of_latin_letters_is_kept_together() -> None:
    for run in ("Wikipedia in Türkiye, 2017–2020", "[Simulated] Chirp in Zedland, 2025", "Chirp (simulated)"):
        assert prose(f"خبرنامہ: {run}، آج", UR) == f"خبرنامہ: <bdi>{run}</bdi>، آج"
        assert plain(f"خبرنامہ: {run}، آج", UR) == f"خبرنامہ: \u2068{run}\u2069، آج"
    assert recorded("R$ 5 million <b>\u202e", UR) == "\u2068R$ 5 million &lt;b&gt;[U+202E]\u2069"
    assert recorded("R$ 5 million", language("en")) == "R$ 5 million"
