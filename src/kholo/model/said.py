"""What a text of the house is made of, so that it can be said in another language."""

from __future__ import annotations

import msgspec


class Said(msgspec.Struct, frozen=True):
    """One sentence of a room's `wording.toml` by its id, with what stands in its braces, by name.

    What stands there is a text, a number, or again sentences of the table. It is what a translation is made of.
    """

    id: str
    parts: tuple[tuple[str, str | int | tuple[Said, ...]], ...] = ()
