"""Pages that say how things are done: methods, data, about and safety."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..inventory import LOG, listing
from ..language import Language, marked
from ..site import Site
from . import shared
from .kind import Key, Kind, only_one


def _content(title: str) -> Callable[[Site, Key, Language], Mapping[str, Any]]:
    def content(site: Site, _key: Key, language: Language) -> dict[str, Any]:
        pages = shared.pages(site, language)
        return {"title": language.say(title), "pages": pages, **shared.of_cases(pages)}

    return content


def _data(site: Site, key: Key, language: Language) -> Mapping[str, Any]:
    """Every file that is no page, those of each case apart."""
    pages = shared.pages(site, language)
    files = listing(site)
    below = {page.view.case.id: f"data/{page.view.case.id}/" for page in pages}
    return {
        **_content(marked("Data"))(site, key, language),
        "files": {name: [one for one in files if one.path.startswith(folder)] for name, folder in below.items()},
        "whole": [one for one in files if not one.path.startswith((*below.values(), LOG))],
        "log": [one for one in files if one.path.startswith(LOG)],
    }


KINDS = (
    Kind("methods", "methods/", "methods.html", only_one, _content(marked("Methods"))),
    Kind("data", "data/", "data.html", only_one, _data),
    Kind("about", "about/", "about.html", only_one, _content(marked("About"))),
    Kind("safety", "safety/", "safety.html", only_one, _content(marked("Safety"))),
)
