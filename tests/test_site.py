"""The whole site: every link arrives, every page is well made, and every language says all of it."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from kholo.detect.wording import say as of_incident
from kholo.detect.wording import with_reasons
from kholo.judge.facts import words
from kholo.judge.story import Story, Telling
from kholo.judge.wording import say as of_story
from kholo.model import EntryKind, ReferenceDataError, State, Vantage
from kholo.publish import Book, CaseView, Dossier, Outside, Site, build_site
from kholo.publish.build import MANIFEST, site_files
from kholo.publish.catalogue import PAGES, Domain, read
from kholo.publish.kinds import KINDS
from kholo.publish.language import Language, language, language_codes
from kholo.publish.site import Attached
from kholo.record.translations import MACHINE
from kholo.record.wording import say

from . import catalogue as texts
from . import material
from .material import full_view
from .pages import CLOSE, OPEN, Page

UR = language("ur")


def site(others: Sequence[CaseView] = (), **more: object) -> Site:
    """A real and an invented case with everything in them, and others beside them."""
    dossiers = {"chirp-test": Dossier("chirp-test.zip", "e" * 64, 7)}
    views = [full_view(), full_view(case_id="fake", simulated=True)]
    (uid, *_) = sorted(outside().measurements)
    return Site([*views, *others], dossiers=dossiers, outside=outside(), stories={uid: story()}, **more)  # type: ignore[arg-type]


def story() -> Telling:
    """A story with a sentence of each part."""
    verdict = material.verdict("20250401100000.000001_PK_webconnectivity_00000000000000ff")
    step = of_story("story.tls", address="1.2.3.4:443", name="chirp.example", end=of_story("story.completed"))
    texts = ((step,), (step,), (of_story("mark.custom"),), (of_story("missing.without", fact=words("tls.reset")),))
    probe, control, marks, missing = (tuple(map(str, part)) for part in texts)
    why = "The archive marked the measurement as failed."
    return Telling(Story(verdict, probe, control, (), marks, "", "archive.failed", why, (), missing), *texts)


def outside() -> Outside:
    """Measurements and an incident that stand in no case."""
    uid = "20250401100000.000001_PK_webconnectivity_00000000000000ff"
    blocked = material.verdict(uid)
    unclear = msgspec.structs.replace(blocked, measurement_uid=f"{uid}0", state=State.INSUFFICIENT, mechanism=None)
    remote = msgspec.structs.replace(blocked, measurement_uid=f"{uid}1", vantage=Vantage.REMOTE)
    bare = msgspec.structs.replace(material.incident(end=None), incident_id="other-pk-20250310", service="other")
    incident = with_reasons(bare, [of_incident("elsewhere.down", hit=3, all=4, places="DE, FR, IN")])
    return Outside(
        measurements={one.measurement_uid: ("other", one) for one in (blocked, unclear, remote)},
        incidents={incident.incident_id: ("other", incident)},
    )


def pseudo() -> Language:
    """A third language: every text between marks. It needs a catalogue and nothing else."""
    made = Catalog(domain="kholo", locale=None)
    for message in texts.template():
        if not message.id:
            continue
        ids = (message.id,) if isinstance(message.id, str) else message.id
        if message.context in {
            "digits",
            "between thousands",
            "before decimals",
            "between items",
            "between clauses",
            "between parts",
            "end of a sentence",
        }:
            made.add(message.id, ids[0], context=message.context)
        elif message.context == "direction of writing":
            made.add(message.id, "rtl", context=message.context)
        else:
            shown = tuple(f"{OPEN}{one}{CLOSE}" for one in ids)
            made.add(message.id, shown if len(shown) > 1 else shown[0], context=message.context)
    out = io.BytesIO()
    write_po(out, made)
    return Language("x-pseudo", read(out.getvalue(), "x-pseudo", "kholo"))


def files_of(made: Site) -> dict[str, bytes]:
    """Every file of a site by its path."""
    return dict(site_files(made))


def html(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """The pages among the files of a site."""
    return ((name, content.decode()) for name, content in sorted(files.items()) if name.endswith(".html"))


def test_every_link_inside_arrives_and_every_page_is_well_made() -> None:
    files = files_of(site())
    pages = {name: Page(text) for name, text in html(files)}
    outside = {"dossiers/chirp-test.zip"}
    for name, page in pages.items():
        assert page.wrong == [], name
        assert page.open == [], name
        assert page.headings == 1, name
        assert len(page.ids) == len(set(page.ids)), name
        own = [] if "/embed/" in name else ["../" * name.count("/") + "assets/site.js"]
        assert page.loads == own, f"{name} loads something else"
        code = name.partition("/")[0] if "/" in name else "en"
        assert (page.root["lang"], page.root["dir"]) == (code, "rtl" if code == "ur" else "ltr"), name
        for link in page.links:
            if link.startswith("https://"):
                continue
            target, _, fragment = link.partition("#")
            found = (Path("/", name).parent / target).resolve() if target else Path("/", name)
            where = str(found.relative_to("/"))
            assert where in files or where in outside, f"{name}: {link}"
            assert not fragment or fragment in pages[where].ids, f"{name}: {link}"


def test_there_is_a_page_of_every_kind_in_every_language() -> None:
    files = files_of(site())
    assert language_codes() == ["en", "ur"]
    for code in language_codes():
        for kind in KINDS:
            keys = list(kind.keys(site()))
            assert keys, kind.name
            for key in keys:
                assert f"{code}/{kind.path(key)}index.html" in files
    assert b'<html lang="en"' in files["index.html"]
    assert b'href="ur/index.html"' in files["index.html"]


def test_one_page_asked_for_is_the_page_that_was_built() -> None:
    made = site()
    book, files = Book(made), files_of(made)
    for address in book.addresses():
        assert book.page_at(address) == files[f"{address}index.html"]
    assert book.page_at("ur/cases/chirp-test/index.html") == files["ur/cases/chirp-test/index.html"]
    for nothing in ("", "xx/", "en/cases/none/", "en/../", "en/cases/chirp-test", "en//", "\x00"):
        assert book.page_at(nothing) is None


def test_no_english_is_left_on_pages_of_another_language() -> None:
    files = files_of(site(languages=[language("en"), pseudo()]))
    checked = 0
    for name, text in html(files):
        if name.startswith("x-pseudo/"):
            checked += 1
            assert Page(text).left == [], name
            assert 'dir="rtl"' in text
    assert checked > len(KINDS)


@pytest.mark.parametrize(
    ("domain", "source", "code"),
    [(domain, source, code) for domain, source in texts.DOMAINS for code in domain.codes()],
    ids=lambda given: given if isinstance(given, str) else getattr(given, "name", ""),
)
def test_a_catalogue_holds_every_text_with_its_slots_and_markup(
    domain: Domain, source: Callable[[], Catalog], code: str
) -> None:
    content = domain.path(code).read_bytes()
    assert texts.updated(content, code, source()) == content, "run make catalogues"
    for message in read_po(io.BytesIO(content)):
        if not message.id:
            continue
        assert texts.is_done(message.string), message.id
        assert MACHINE in message.user_comments or domain.catalogue(code).is_reviewed
        ids = (message.id,) if isinstance(message.id, str) else message.id
        strings = (message.string,) if isinstance(message.string, str) else message.string
        for one, other in zip(ids, strings, strict=True):  # type: ignore[arg-type]
            for pattern in (r"\{(\w+)\}", r"%\((\w+)\)s", r"<[^>]+>"):
                assert sorted(re.findall(pattern, one)) == sorted(re.findall(pattern, str(other))), one


def test_a_page_says_once_that_its_translation_was_not_reviewed() -> None:
    files = files_of(site())
    notice = UR.say("Machine text: no person has reviewed the translation of this page yet. The English page decides.")
    for name, text in html(files):
        assert text.count(notice) == (1 if name.startswith("ur/") else 0), name
    reviewed = PAGES.path("ur").read_bytes().replace(MACHINE.encode(), b"read by a person")
    assert read(reviewed, "ur", "kholo").is_reviewed


def test_a_damaged_catalogue_is_named() -> None:
    with pytest.raises(ReferenceDataError, match=r"xx/kholo\.po"):
        read(b"no catalogue\n", "xx", "kholo")


def test_plurals_dates_and_digits_are_the_languages_own() -> None:
    assert UR.day(date(2024, 2, 17)) == "۱۷ فروری ۲۰۲۴"
    assert UR.number(1234567) == "۱٬۲۳۴٬۵۶۷"
    assert UR.many("{n} incident", "{n} incidents", 1) == "۱ واقعہ"
    assert UR.many("{n} incident", "{n} incidents", 2) == "۲ واقعات"
    assert UR.place("PK") == "پاکستان"
    three = Catalog(locale="pl")
    three.add(("{n} day", "{n} days"), ("{n} dzień", "{n} dni", "{n} dnia"))
    out = io.BytesIO()
    write_po(out, three)
    polish = Language("pl", read(out.getvalue(), "pl", "kholo"))
    assert [polish.many("{n} day", "{n} days", n) for n in (1, 2, 12)] == ["1 dzień", "2 dni", "12 dnia"]
    assert polish.say("Cases") == "Cases", "what is missing is said in English"


def test_sentences_of_the_record_are_said_in_the_language_of_the_page() -> None:
    text = say("clock.running", evidence="chirp-pk-20250310") + say("clock.lapsed", until="2025-04-05")
    clock = msgspec.structs.replace(material.clocks()[0], because=str(text), said=text.said)
    view = msgspec.structs.replace(full_view(), clocks=(clock,))
    (row,) = Site([view]).case("chirp-test", UR).clocks
    assert row.clock.because == "شواہد میں تعمیل نظر نہیں آتی (واقعہ ۱)۔ حکم ۵ اپریل ۲۰۲۵ تک نافذ رہا۔"
    (plain,) = Site([view]).case("chirp-test", language("en")).clocks
    found = "Nothing in the evidence shows it met (incident 1). The order held until 5 April 2025."
    assert plain.clock.because == found


def test_from_the_front_page_to_the_order_in_two_steps_in_urdu() -> None:
    files = files_of(site())
    front = files["ur/index.html"].decode()
    order = "cases/chirp-test/orders/2025-03-20-order/index.html"
    assert UR.say("What was ordered, and was it obeyed?") in front
    assert f'href="../ur/{order}"' in front
    page = files[f"ur/{order}"].decode()
    (headline,) = re.findall(r'<p class="answer">([^<]+)</p>', page)
    assert UR.say("Was it obeyed?") in page
    assert f'href="../ur/{order}"><b>{headline}</b>' in front


def test_a_page_cites_its_versions_and_the_sealed_dossier() -> None:
    files = files_of(site(address="https://example.org/kholo/"))
    page = files["en/cases/chirp-test/index.html"].decode()
    cited = page.partition('class="cite"')[2]
    for part in ("https://example.org/kholo/en/cases/chirp-test/", "c" * 16, "a" * 16, "b" * 16, "e" * 64):
        assert part in cited
    address = f"en/dossiers/chirp-test/{'e' * 16}/index.html"
    assert f'href="../../../{address}"' in cited
    assert 'href="../../../../dossiers/chirp-test.zip"' in files[address].decode()
    assert "dossiers/" not in files["en/cases/fake/index.html"].decode()


def test_what_stands_in_no_case_has_a_page_that_says_so() -> None:
    files = files_of(site())
    found = [files[f"en/measurements/{uid}/index.html"].decode() for uid in sorted(outside().measurements)]
    for page in (*found, files["en/incidents/other-pk-20250310/index.html"].decode()):
        assert "stands in no case of this site" in page
    assert all("One measurement proves no block" in page for page in found)
    assert [", other was blocked." in page for page in found] == [True, False, True]
    assert "does not show whether other could be reached" in re.sub(r"\s+", " ", found[1])
    assert "from outside, through a server in the network" in found[2]


def test_where_there_is_no_page_its_language_says_so() -> None:
    book, files = Book(site()), files_of(site())
    for address, code in (("ur/cases/none/", "ur"), ("ur", "ur"), ("xx/<b>/", "en"), ("", "en"), ("en/a/b/c", "en")):
        page = Page(book.missing(address).decode())
        assert (page.wrong, page.root["lang"]) == ([], code)
        for link in page.links:
            if not link.startswith(("https://", "#")):
                assert str((Path("/", f"{address}x").parent / link).resolve().relative_to("/")) in files
    made = Page(Book(site(languages=[language("en"), pseudo()])).missing("x-pseudo/a/").decode())
    assert made.left == []


def test_only_files_that_an_older_build_wrote_are_removed(tmp_path: Path) -> None:
    build_site(site(), tmp_path)
    own = tmp_path / "en" / "own.html"
    own.write_text("kept")
    (tmp_path.parent / "outside.txt").write_text("kept")
    with (tmp_path / MANIFEST).open("a") as manifest:
        manifest.write("../outside.txt\n/etc/hostname\n")
    build_site(Site([full_view()]), tmp_path)
    assert own.read_text() == "kept"
    assert (tmp_path.parent / "outside.txt").read_text() == "kept"
    assert not (tmp_path / "en" / "cases" / "fake").exists()
    assert not (tmp_path / "data" / "fake").exists()
    assert (tmp_path / "en" / "cases" / "chirp-test" / "index.html").is_file()


def test_pages_are_light_on_the_wire_and_say_something_at_once() -> None:
    files = files_of(site())
    for code in language_codes():
        for name, most in ((f"{code}/index.html", 40_000), (f"{code}/cases/chirp-test/index.html", 60_000)):
            # All of it: pictures and styles stand inside, and nothing else has to come before the text is shown.
            text = files[name].decode()
            assert len(gzip.compress(files[name])) < most
            assert not re.search(
                r'<link[^>]+rel="(?:stylesheet|preload)|<(?:img|object|iframe)\b'
                r'|<script (?!src="[./]*assets/site\.js" defer|type="application/ld\+json")',
                text,
            )
            assert "@import" not in text


def test_an_entry_of_any_id_has_an_address_of_its_own() -> None:
    entries = tuple(
        msgspec.structs.replace(entry, id=f"../../{entry.id}?<b>") if entry.obligation else entry
        for entry in material.record()
    )
    files = files_of(Site([material.view(material.case(entries))]))
    found = [name for name in files if "/orders/" in name and name.startswith("en/cases/")]
    assert len(found) == 1
    assert re.fullmatch(r"en/cases/chirp-test/orders/_[0-9a-f]{20}/index\.html", found[0])


def test_an_empty_site_is_a_site() -> None:
    files = files_of(Site([]))
    assert "There is no case on this site yet" in files["en/index.html"].decode()
    assert Site([]).as_of == datetime(1970, 1, 1, tzinfo=UTC)


def test_an_entry_named_in_a_note_is_linked_by_its_number() -> None:
    """Editors name entries by id, pages by number; what only looks like an id stays as it is written."""
    first, second, third, *others = material.record()
    odd = [msgspec.structs.replace(entry, id=id) for entry, id in ((second, "s2"), (third, "2025"))]
    note = "As s2 says (s2), unlike s2b, x.s2, s-2 and s99 of 2025; <b>."
    entries = (msgspec.structs.replace(first, notes=note), *odd, *others)
    files = files_of(Site([material.view(material.case(entries))]))
    named = r'<a href="([^"#]*)#entry-s2">entry 2</a>'
    said = rf"As {named} says \({named}\), unlike s2b, x\.s2, s-2 and s99 of 2025; &lt;b&gt;\."
    found = {name: match.groups() for name, text in html(files) if (match := re.search(said, text))}
    assert found["en/cases/chirp-test/index.html"] == ("", "")
    assert all(found["en/actors/chirp-test/authority/index.html"])


@pytest.mark.parametrize(
    ("given", "link"),
    [("desk@example.org", "mailto:desk@example.org"), ("https://example.org/a?b", "https://example.org/a?b")],
)
def test_readers_are_told_where_to_write(given: str, link: str) -> None:
    files = files_of(site(attached=Attached(contact=given)))
    for name in ("en/about", "en/safety", "ur/about", "ur/safety"):
        assert f'href="{link}"' in files[f"{name}/index.html"].decode()
    assert link not in files_of(site())["en/about/index.html"].decode()


def test_the_card_of_a_case_says_what_weaker_reports_add() -> None:
    """A finding of one day beside reports of months: the card says both, as the case's own page does."""
    *_, event = material.record()
    told = material.claim(State.BLOCKED, material.utc(2025, 3, 10), material.utc(2025, 6, 1))
    report = msgspec.structs.replace(event, id="report", kind=EntryKind.FINDING, proposition=told)
    files = files_of(Site([material.view(material.case((*material.record(), report)))]))
    for name in ("en/index.html", "en/cases/index.html", "en/cases/chirp-test/index.html"):
        said = re.sub(r"<[^>]+>|\s+", " ", files[name].decode())
        assert "By press and user reports it was blocked from 10 March 2025 to 31 May 2025 (grade D)." in said, name
