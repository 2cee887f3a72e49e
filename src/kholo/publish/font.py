"""A font for Urdu, cut down to the letters of a site: an extra, `pip install 'kholo[fonts]'`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from kholo.model import EnvironmentFault

FILE = "NotoNastaliqUrdu-Regular.ttf"
SYSTEM = Path("/usr/share/fonts")
#: Letters that the font is asked for: Arabic script, and the two joiners.
RANGE = "U+600-6FF,U+200C-200D"
#: Names kept in the font: rights, family, style, trade mark, licence and where it stands.
_NAMES = [0, 1, 2, 7, 13, 14]


class Font(msgspec.Struct, frozen=True):
    """A WOFF2 file, and whose it is under which licence."""

    woff2: bytes
    licence: str


#: Cuts a font down to letters.
FontMaker = Callable[[Iterable[str]], Font]


def font_maker(folders: Sequence[Path] = ()) -> FontMaker:
    """What cuts the font down to letters; it is looked for in `folders`, then in the system's.

    Raises `EnvironmentFault` where the font or what cuts it is not there.
    """
    try:
        import brotli  # noqa: F401, PLC0415 - an extra
        import fontTools  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise EnvironmentFault("a font for the pages in Urdu needs fonttools: pip install 'kholo[fonts]'") from error
    found = next((path for folder in (*folders, SYSTEM) for path in sorted(folder.rglob(FILE))), None)
    if found is None:
        raise EnvironmentFault(
            "no font for Urdu is here: apt-get install fonts-noto-core (Debian, Ubuntu), or give a folder that"
            f" holds {FILE} with --fonts"
        )
    return lambda letters: _cut(found, "".join(sorted(set(filter(is_covered, letters)))))


@lru_cache(maxsize=4)
def _cut(path: Path, letters: str) -> Font:
    """The same font and letters give the same bytes: the file keeps the date that it came with.

    Some seconds of work, and the letters of a site seldom change from one build to the next.
    """
    from fontTools import subset  # noqa: PLC0415 - an extra
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - an extra

    options = subset.Options(flavor="woff2", layout_features=["*"], hinting=False, notdef_outline=True, name_IDs=_NAMES)
    with TTFont(path, recalcTimestamp=False, lazy=True) as font:
        licence = "\n".join(filter(None, (font["name"].getDebugName(number) for number in (0, 7, 13, 14))))
        cut = subset.Subsetter(options)
        cut.populate(unicodes=[ord(letter) for letter in letters])
        cut.subset(font)
        out = io.BytesIO()
        font.flavor = "woff2"
        font.save(out)
    return Font(out.getvalue(), f"{licence}\nThis file holds a part of its letters, packed as WOFF2.\n")


def is_covered(letter: str) -> bool:
    """Whether a letter is one of those that the font is asked for."""
    return "\u0600" <= letter <= "\u06ff" or letter in "\u200c\u200d"
