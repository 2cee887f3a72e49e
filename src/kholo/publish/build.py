"""The whole site as files, and which of them an older build left behind."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from kholo.disk import copy_if_changed, write_if_changed
from kholo.model import EnvironmentFault

from .book import Book
from .cards import Kept, card_maker, cards
from .inventory import INDEX, arranged, data_files, described, index_json
from .kinds.search import index
from .signposts import signposts
from .site import Site

#: Lists every file that a build wrote, a line each. What it does not list is never removed.
MANIFEST = "manifest.txt"


def build_site(site: Site, out: Path, pictures: Path | None = None) -> list[Path]:
    """Write every page in every language, the data of every case, and the manifest. Returns their paths, sorted.

    A file that holds the right bytes already is left alone; one that an older build wrote, by its manifest, and that is
    no part of the site any more is removed. The same cases in any order give the same bytes. `pictures` is a folder for
    pictures that need not be drawn again. Raises `EnvironmentFault` when a file can't be written.
    """
    old = listed(out)
    names = set()
    for name, content in site_files(site, pictures):
        # After a power failure the next build sees what is not whole, and writes it anew.
        write_if_changed(out / name, content, is_lasting=False)
        names.add(name)
    for one, source in site.attached.copies.items():
        copy_if_changed(source, out / one.path, one.sha256)
        names.add(one.path)
    for name in sorted(old - names):
        _remove(out, name)
    write_if_changed(out / MANIFEST, "".join(f"{name}\n" for name in sorted(names)).encode())
    return sorted(out / name for name in (*names, MANIFEST))


def site_files(site: Site, pictures: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """Every file of the site with its path, one after another, but for those that are copied as they are."""
    found = []
    for name, content in data_files(site):
        found.append(described(name, content))
        yield name, content
    site.inventory = arranged(site, found)
    book = Book(site)
    yield INDEX, index_json(site)
    yield "index.html", book.front()
    for address in book.addresses():
        page = book.page_at(address)
        if page is not None:
            yield f"{address}index.html", page
    for language in site.languages:
        yield f"assets/search.{language.code}.json", index(site, language, book.path)
    yield from signposts(site, book.addresses())
    yield "assets/site.js", resources.files(__package__).joinpath("assets/site.js").read_bytes()
    if site.has_cards:
        draw, kept = card_maker(), Kept(pictures) if pictures else None
        for path, card in cards(site):
            yield path, kept.draw(draw, card) if kept else draw(card)
        if kept:
            kept.tidy()
    if site.font is not None:
        yield "assets/nastaliq.woff2", site.font.woff2
        yield "assets/nastaliq.txt", site.font.licence.encode()


def listed(out: Path) -> set[str]:
    """What the manifest of an older build lists. Lines that lead out of the folder are none of ours."""
    try:
        text = (out / MANIFEST).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise EnvironmentFault(f"{out / MANIFEST}: can't be read: {error.strerror or error}") from error
    names = {line for line in text.splitlines() if line}
    return {name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts}


def _remove(out: Path, name: str) -> None:
    """Remove a file, and the folders that it leaves empty. Never through a link that leads elsewhere."""
    path = out / name
    if not path.is_file() or not path.resolve().is_relative_to(out.resolve()):
        return
    path.unlink()
    for folder in path.parents:
        if folder == out or any(folder.iterdir()):
            return
        folder.rmdir()
