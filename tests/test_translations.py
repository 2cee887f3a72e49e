"""The record in other languages: read with care, kept up to date, shown where it is there, and never in place of it."""

from __future__ import annotations

import json
import re
import shutil
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from kholo.model import Case, CaseError, Translation
from kholo.papers.compose import paper
from kholo.papers.document import spoken
from kholo.publish import CaseView, Site
from kholo.publish.language import language
from kholo.record import load_case, load_effect
from kholo.record.files import Files, Problems
from kholo.record.translations import MACHINE, read_translations, texts
from kholo.reference import load_reference

from . import material
from .broken_case import write
from .commands import kholo
from .pages import Page
from .test_site import files_of

CASES = Path(__file__).parents[1] / "cases"
SERVICES = load_reference().services.ids
UR = language("ur")
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def said(folder: Path, code: str, *more: str) -> str:
    done = kholo("case", "translate", folder, *more)
    assert done.returncode == int(code), done.stderr.decode()
    return (done.stdout or done.stderr).decode()


def with_catalogue(folder: Path, text: str, name: str = "ur.po") -> Path:
    write(folder)
    (folder / "languages").mkdir()
    (folder / "languages" / name).write_text(text, encoding="utf-8")
    return folder


def test_a_catalogue_follows_the_texts_of_its_case(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write(folder)
    count = len(texts(load_case(folder, SERVICES), load_effect(folder)))
    path = folder / "languages" / "ur.po"
    assert f"0 of {count} texts translated" in said(folder, "1", "--to", "ur", "--check")
    assert not path.exists()
    said(folder, "0", "--to", "ur")
    first = path.read_bytes()
    said(folder, "0", "--to", "ur")
    assert path.read_bytes() == first

    title = "The authority says that Chirp works"
    path.write_bytes(
        first.replace(f'"{title}"\nmsgstr ""'.encode(), f'"{title}"\nmsgstr "چرپ چل رہا ہے"'.encode()).replace(
            b"#. entries/denial.toml: title", f"# {MACHINE}\n#. entries/denial.toml: title".encode()
        )
    )
    row = json.loads(said(folder, "0", "--to", "ur", "--json"))
    assert row == {"texts": count, "translated": 1, "machine": 1, "unused": 0}
    found = load_case(folder, SERVICES).languages["ur"]
    assert (dict(found.texts), found.is_reviewed) == ({title: "چرپ چل رہا ہے"}, False)

    path.write_bytes(
        path.read_bytes().replace(b"#. entries/denial.toml: title\n", b"#. entries/denial.toml: title\n#, fuzzy\n")
    )
    assert f"0 of {count} texts" in said(folder, "1", "--to", "ur", "--check"), "pages do not show it"
    path.write_bytes(path.read_bytes().replace(b"#, fuzzy\n", b""))

    entry = folder / "entries" / "denial.toml"
    entry.write_text(entry.read_text().replace(title, "The authority says so"))
    assert "0 of" in (told := said(folder, "0", "--to", "ur")) and "1 put aside" in told
    assert "چرپ چل رہا ہے" in path.read_text("utf-8"), "a translation is never thrown away"
    entry.write_text(entry.read_text().replace("The authority says so", title))
    assert "1 of" in said(folder, "0", "--to", "ur")
    assert kholo("case", "check", folder).stdout.decode().endswith(f"actors; in ur 1 of {count} texts\n")


def test_codes_of_languages_are_those_that_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    write(folder)
    for code in ("pt-BR", "zh-Hant"):
        said(folder, "0", "--to", code)
        said(folder, "0", "--to", code)
    for code in ("en", "klingon", "../ur", "qqx", "xx"):
        assert "is no language that a case" in said(folder, "2", "--to", code)


@pytest.mark.parametrize(
    ("name", "text", "where", "why"),
    [
        ("ur.po", "nonsense", "languages/ur.po:1", "is no line of a catalogue"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr "b\n', "languages/ur.po:6", "in straight quotes"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr b\n', "languages/ur.po:6", "in straight quotes"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n', "languages/ur.po:8", "line 5 too"),
        ("ur.po", 'msgid ""\nmsgstr "Language: de\\n"\n', "languages/ur.po", "is 'de'"),
        ("ur.po", HEAD.replace("utf-8", "latin-1"), "languages/ur.po", "charset is"),
        ("ur.po", HEAD + 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\n', "languages/ur.po:6", "has a plural"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr "<b>c</b>"\n', "languages/ur.po:5", "is HTML"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr "c\u202e"\n', "languages/ur.po:5", "turns the direction of reading"),
        ("ur.po", HEAD + 'msgid "a"\nmsgstr "' + "c" * 6_001 + '"\n', "languages/ur.po:5", "6001 characters"),
        ("urdu language.po", HEAD, "languages/", "is not named by a language"),
        ("en.po", HEAD, "languages/", "is not named by a language"),
        ("ur.po", HEAD + "#" * (1 << 20), "languages/ur.po", "at most 1 MiB"),
        (
            "ur.po",
            'msgid ""\nmsgstr "Plural-Forms: nplurals=999999999;\\n"\n\n#~ msgid "a"\n#~   msgid_plural "b"\n',
            "languages/ur.po:5",
            "has a plural",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_catalogue_is_named_with_its_place(
    tmp_path: Path, name: str, text: str, where: str, why: str
) -> None:
    folder = with_catalogue(tmp_path / "case", text, name)
    done = kholo("case", "check", folder)
    assert done.returncode == 2
    (line, *_) = done.stderr.decode().splitlines()
    assert where in line and why in line


def test_a_catalogue_is_no_link(tmp_path: Path) -> None:
    folder = with_catalogue(tmp_path / "case", HEAD)
    (folder / "languages" / "fa.po").symlink_to("/etc/hostname")
    with pytest.raises(CaseError, match=r"fa\.po"):
        load_case(folder, SERVICES)
    shutil.move(folder / "languages", tmp_path / "languages")
    (folder / "languages").symlink_to(tmp_path / "languages")
    with pytest.raises(CaseError, match="must be a folder"):
        load_case(folder, SERVICES)


TOKENS = st.sampled_from(
    ["msgid ", "msgstr ", "msgstr[0] ", "msgstr[", "msgctxt ", '"', '"a"', "\\", "\n", "#~ ", "#, fuzzy\n", "#: a:1\n",
     "Plural-Forms: nplurals=99999999;\\n", "Language: xx\\n", "charset=foo\\n", "\x85", "\u2028", "\r", "\x00"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(TOKENS | st.text(max_size=5), max_size=30))
def test_no_catalogue_stops_a_run(parts: list[str]) -> None:
    problems = Problems()
    data = "".join(parts).encode("utf-8", "replace")
    found = read_translations(Files(Path("nowhere"), {"languages/ur.po": data}), problems)
    assert problems.found or all(found["ur"].texts.values())


def translated(**more: str) -> CaseView:
    """The full view with its actors, titles and summaries in Urdu, but for the order."""
    view = material.full_view()
    case = view.case
    own = {case.title: "پاکستان میں چرپ", "The Authority": "نگران ادارہ", **more}
    for number, entry in enumerate(case.entries):
        if entry.obligation is None:
            own |= {entry.title: f"عنوان {number}", entry.summary: f"خلاصہ {number}"}
    return msgspec.structs.replace(view, case=with_urdu(case, own))


def with_urdu(case: Case, own: dict[str, str], *, is_reviewed: bool = False) -> Case:
    return msgspec.structs.replace(case, languages={"ur": Translation(own, is_reviewed)})


def test_pages_say_what_is_translated_and_leave_the_rest_in_english() -> None:
    view = translated()
    files = files_of(Site([view]))
    plain = files_of(Site([material.full_view()]))
    changed = {name for name, text in files.items() if name.startswith("en/") and plain[name] != text}
    assert changed == {"en/search/index.html", "en/data/index.html"}, "what it is also called; digests of that"
    case = files["ur/cases/chirp-test/index.html"].decode()
    assert "<h1>پاکستان میں چرپ</h1>" in case
    order = next(entry for entry in view.case.entries if entry.obligation)
    assert f'<h3><span lang="en" dir="auto">{order.title}</span></h3>' in case
    denial = next(entry for entry in view.case.entries if entry.obligation is None)
    # For machines, a claim stays in the words that were reviewed.
    shown = re.sub(r'<script type="application/ld\+json">.*?</script>', "", case, flags=re.DOTALL)
    assert denial.title not in shown and denial.summary not in shown
    for name, content in files.items():
        if name.startswith("ur/") and name.endswith(".html"):
            page = Page(content.decode())
            assert page.wrong == [], name
    actor = files["ur/actors/chirp-test/authority/index.html"].decode()
    assert "<h1>نگران ادارہ</h1>" in actor
    found = files["ur/search/index.html"].decode()
    row = next(line for line in found.splitlines() if "عنوان 0" in line)
    assert denial.title in row, "it is found by what it is called in English too"
    assert "عنوان 0" in files["en/search/index.html"].decode()
    for name in ("data/chirp-test/data.json", "data/chirp-test/entries.csv", "data/chirp-test/feed.atom"):
        assert files[name] == plain[name], "data are in the language of the record"


def test_a_note_in_urdu_links_entries_in_urdu() -> None:
    first, second, *others = material.record()
    entries = (
        msgspec.structs.replace(first, notes="As s2 says."), msgspec.structs.replace(second, id="s2"), *others
    )  # fmt: skip
    case = with_urdu(material.case(entries), {"As s2 says.": "جیسا s2 میں ہے۔"})
    page = files_of(Site([material.view(case)]))["ur/cases/chirp-test/index.html"].decode()
    assert f'جیسا <a href="#entry-s2">{UR.say("entry {number}", number=2)}</a> میں ہے۔' in page


def test_answers_of_the_three_part_test_name_entries_by_their_own_titles() -> None:
    case = load_case(CASES / "zz-simulated", SERVICES)
    title = "[Simulated] Blocked for public order"
    assert any(entry.title == title and entry.gives_reason for entry in case.entries)
    view = material.view(with_urdu(case, {title: "امنِ عامہ کے لیے بند"}))
    page = files_of(Site([view]))["ur/cases/zz-simulated/index.html"].decode()
    test = page.partition('id="test"')[2]
    said = re.sub(r"<[^>]+>", "", test)
    assert f"امنِ عامہ کے لیے بند ([Simulated] Ministry of Order، {UR.say('entry {number}', number=5)})" in said


def test_what_people_answered_names_entries_in_the_language_it_is_in() -> None:
    case = load_case(CASES / "x-pakistan-2024", SERVICES)
    (first, second) = case.answers
    own = {first.says: "وزارت قومی سلامتی کا نام لیتی ہے (f24، f26)۔"}
    page = files_of(Site([material.view(with_urdu(case, own))]))["ur/cases/x-pakistan-2024/index.html"].decode()
    test = page.partition('id="test"')[2]
    assert f"({UR.say('entry {number}', number=26)}، {UR.say('entry {number}', number=28)})۔" in test
    assert "(entry 23)" in test and "(f21)" not in test and second.says.partition(" (f21)")[0] in test


def test_a_page_is_machine_text_until_every_translation_on_it_was_read() -> None:
    notice = UR.say("Machine text: no person has reviewed the translation of this page yet. The English page decides.")
    spoken_by = language("ur")
    view = translated()
    for name in ("cases/chirp-test", "embed/chirp-test"):
        assert notice in files_of(Site([view], languages=[language("en"), spoken_by]))[f"ur/{name}/index.html"].decode()


def test_a_paper_says_the_record_in_its_language() -> None:
    view = translated()
    words = " ".join(spoken(paper(view, "statement", "ur")))
    assert "پاکستان میں چرپ" in words and view.case.title not in words
    assert view.case.title in " ".join(spoken(paper(view, "statement", "en")))


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_shipped_cases_are_whole_in_urdu_and_their_catalogues_up_to_date(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    said(copy, "0", "--to", "ur", "--check")
    said(copy, "0", "--to", "ur")
    name = "languages/ur.po"
    assert (copy / name).read_bytes() == (folder / name).read_bytes()
    catalogue = read_po(BytesIO((folder / name).read_bytes()), abort_invalid=True)
    for message in catalogue:
        if message.id:
            ids = set(re.findall(r"\b[a-z][0-9]{1,2}[a-z]?\b", str(message.id)))
            assert ids == set(re.findall(r"\b[a-z][0-9]{1,2}[a-z]?\b", str(message.string))), message.id
