"""What a kind of page is: an address pattern, which pages there are, and what a template is given for one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ..language import Language
from ..safe import segment
from ..site import Site

#: What fills the pattern: ids of a case, an entry, a network.
Key = tuple[str, ...]


class Kind(msgspec.Struct, frozen=True):
    """One kind of page.

    `pattern` is its address below the language, with `{}` for each part of the key: `cases/{}/orders/{}/`. `keys` gives
    those of every page there is. `content` gives what `template` names; at least `title`, and `simulated`, which is
    true where anything on the page is invented. `cited` holds the views
    whose versions it cites; `named` is there where the title is one of the record's own words or a name.
    """

    name: str
    pattern: str
    template: str
    keys: Callable[[Site], Iterable[Key]]
    content: Callable[[Site, Key, Language], Mapping[str, Any]]

    def path(self, key: Key) -> str:
        """The address of a page below its language, ending with a slash (the front page: empty)."""
        return self.pattern.format(*map(segment, key))


def only_one(_site: Site) -> list[Key]:
    """The keys of a kind of which there is one page."""
    return [()]
