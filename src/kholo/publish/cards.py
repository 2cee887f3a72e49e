"""Pictures of cases and claims for sharing, set by Typst: an extra, `pip install 'kholo[pdf]'`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import msgspec

from kholo import __version__
from kholo.disk import write_if_changed
from kholo.model import EnvironmentFault

from .language import Language, marked
from .pictures import printed_band
from .rows import CasePage, ClaimRow
from .safe import segment, visible
from .site import Site
from .words import NOTICE, OUTCOME, begun

#: Letters of a text before the rest of it is left out.
MOST = 240
COLOURS = 48
FONTS = "Libertinus Serif, Noto Nastaliq Urdu, Noto Naskh Arabic"


class Card(msgspec.Struct, frozen=True):
    """What a picture shows: above, large, below it, the band of the case as SVG, and at the foot."""

    language: str
    direction: str
    notice: str
    kicker: str
    answer: str
    said: str
    band: str
    foot: str


class Shared(msgspec.Struct, frozen=True):
    """What those see to whom a page is sent: a sentence, and where its picture stands below the site."""

    text: str
    picture: str


#: Draws a card: 1200 by 630 pixels, PNG.
CardMaker = Callable[[Card], bytes]


def card_maker() -> CardMaker:
    """The same card gives the same bytes. Raises `EnvironmentFault` where Typst or a font for Urdu is not there."""
    try:
        import PIL.Image  # noqa: PLC0415 - an extra
        import typst  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise EnvironmentFault("pictures for sharing need Typst and Pillow: pip install 'kholo[pictures]'") from error
    fonts = typst.Fonts()
    if not {"Noto Nastaliq Urdu", "Noto Naskh Arabic"} & set(fonts.families()):
        raise EnvironmentFault("pictures for sharing need a font for Urdu: apt-get install fonts-noto-core")
    template = resources.files(__package__).joinpath("templates/card.typ").read_bytes()

    def made(card: Card) -> bytes:
        inputs = {"card": msgspec.json.encode(card).decode()}
        drawn = typst.compile(template, font_paths=fonts, sys_inputs=inputs, timestamp=0, format="png", ppi=144)
        out = io.BytesIO()
        with PIL.Image.open(io.BytesIO(drawn)) as full:
            # A few colours and their edges: a third of the bytes.
            few = full.convert("RGB").quantize(COLOURS, dither=PIL.Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
        return out.getvalue()

    return made


class Kept:
    """A folder of pictures that were drawn once, each named by its card, by what draws it and by this version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Path] = set()
        self._key = hashlib.sha256(f"{__version__} {_drawn_by()}".encode()).digest()

    def draw(self, make: CardMaker, card: Card) -> bytes:
        """The picture of a card, drawn where the folder has it not."""
        digest = hashlib.blake2b(msgspec.json.encode(card), key=self._key, digest_size=16).hexdigest()
        path = self._folder / f"{digest}.png"
        self._used.add(path)
        if path.is_file():
            return path.read_bytes()
        drawn = make(card)
        write_if_changed(path, drawn)
        return drawn

    def tidy(self) -> None:
        """Remove the pictures that nobody asked for since it was made."""
        for path in set(self._folder.glob("*.png")) - self._used:
            path.unlink(missing_ok=True)


def _drawn_by() -> str:
    template = resources.files(__package__).joinpath("templates/card.typ").read_bytes()
    return f"{version('typst')} {version('pillow')} {hashlib.sha256(template).hexdigest()}"


def card_path(language: Language, case: str, entry: str | None = None) -> str:
    """Where the picture of a case or of a claim stands below the site."""
    name = segment(entry) if entry else "case"
    return f"assets/cards/{language.code}/{segment(case)}/{name}.png"


def stands(claim: ClaimRow, language: Language) -> str:
    """How a claim stands: what is shown of it elsewhere must not look like our own words."""
    outcome = begun(language.say(OUTCOME[claim.assessment.outcome][1]))
    return f"{language.say(marked('How it stands against the evidence'))}: {outcome}"


def cards(site: Site) -> Iterator[tuple[str, Card]]:
    """Every picture with its path."""
    for language in site.languages:
        for name in site.cases:
            page = site.case(name, language)
            band = printed_band(page, language, FONTS)
            title = page.view.case.title
            yield card_path(language, name), _card(page, language, band, title, page.answer.sentence, "")
            for claim in (*page.claims, *page.checked_findings):
                said = f"{title}{language.about('between parts', '·').center(3)}{claim.row.actor}"
                drawn = _card(page, language, band, said, f"“{claim.row.entry.title}”", stands(claim, language))
                yield card_path(language, name, claim.row.entry.id), drawn


def _card(page: CasePage, language: Language, band: str, kicker: str, answer: str, said: str) -> Card:
    as_of = language.say("as of {when}", when=page.view.as_of.date())
    return Card(
        language=language.code,
        direction=language.direction,
        notice=language.say(NOTICE) if page.view.simulated else "",
        kicker=_clipped(kicker),
        answer=_clipped(answer),
        said=said,
        band=band,
        foot=f"kholo{language.about('between items', ', ')}{as_of}",
    )


def _clipped(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= MOST else f"{shown[: MOST - 1]}…"
