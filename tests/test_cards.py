"""Pictures for sharing: small, the same each time, of cases and claims in both languages, and named in the pages."""

from __future__ import annotations

import io
import re
from pathlib import Path

import msgspec
import PIL.Image

from kholo.publish import Site
from kholo.publish.build import site_files
from kholo.publish.cards import MOST, Card, Kept, card_maker, cards
from kholo.publish.language import language, language_codes
from kholo.publish.words import NOTICE

from .material import full_view


def site(*, address: str = "", has_cards: bool = True) -> Site:
    return Site([full_view(), full_view(case_id="fake", simulated=True)], address=address, has_cards=has_cards)


def test_every_case_and_claim_has_a_small_picture_that_its_page_names() -> None:
    files = dict(site_files(site(address="https://example.org/k/")))
    named = 0
    for name, content in files.items():
        found = re.findall(
            r'<meta property="og:image" content="https://example.org/k/([^"]+)">', content.decode("utf-8", "replace")
        )
        is_shared = re.fullmatch(r"(en|ur)/cases/[^/]+/(claims/[^/]+/)?index.html", name)
        assert len(found) == (1 if is_shared else 0), name
        for picture in found:
            named += 1
            assert len(files[picture]) < 60_000
            with PIL.Image.open(io.BytesIO(files[picture])) as image:
                assert (image.size, image.format) == ((1200, 630), "PNG")
    drawn = {name: content for name, content in files.items() if name.endswith(".png")}
    assert named == len(drawn) > 4 * len(language_codes())
    again = dict(site_files(site()))
    assert {name: again[name] for name in drawn} == drawn
    relative = 'property="og:image" content="../../../assets/cards/en/chirp-test/case.png"'
    assert relative in again["en/cases/chirp-test/index.html"].decode()


def test_a_picture_says_simulated_and_whose_words_it_shows() -> None:
    draw, shown = card_maker(), dict(cards(site()))
    for path, card in shown.items():
        spoken = language(card.language)
        assert card.notice == (spoken.say(NOTICE) if "/fake/" in path else ""), path
        if not path.endswith("case.png"):
            assert card.answer.startswith("“"), path
            assert spoken.say("How it stands against the evidence") in card.said, path
    fake = shown["assets/cards/en/fake/case.png"]
    assert draw(fake) != draw(msgspec.structs.replace(fake, notice=""))
    with PIL.Image.open(io.BytesIO(draw(fake))) as image:
        assert image.convert("RGB").getpixel((20, 20)) != (255, 255, 255)


def test_hostile_text_is_only_text() -> None:
    base = next(card for _, card in cards(site()))
    for text in ('#panic("x") $1/0$ *', "\u202eevil\x07", "א" * MOST, "W" * MOST, "۱" * MOST, "<&>\"'", "\n\n"):
        card: Card = msgspec.structs.replace(base, answer=text, kicker=text, said=text, notice=text)
        assert card_maker()(card).startswith(b"\x89PNG")


def test_without_what_draws_them_pages_name_none() -> None:
    files = dict(site_files(site(has_cards=False)))
    assert not [name for name in files if name.endswith(".png")]
    page = files["en/cases/chirp-test/index.html"].decode()
    assert "og:title" in page
    assert "og:image" not in page


def test_a_picture_is_drawn_once_and_forgotten_when_nobody_asks_for_it(tmp_path: Path) -> None:
    made = [card for _, card in cards(site())][:2]
    drawn = []

    def draw(card: Card) -> bytes:
        drawn.append(card)
        return card.answer.encode()

    for _ in range(2):
        kept = Kept(tmp_path)
        assert [kept.draw(draw, card) for card in made] == [card.answer.encode() for card in made]
        kept.tidy()
    assert drawn == made
    kept = Kept(tmp_path)
    kept.draw(draw, made[0])
    kept.tidy()
    assert len(list(tmp_path.iterdir())) == 1
