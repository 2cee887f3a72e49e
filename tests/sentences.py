"""Sentences as they are kept, said again in English from the tables alone."""

from __future__ import annotations

from collections.abc import Iterable

from kholo.detect.wording import WORDING as OF_INCIDENTS
from kholo.judge.wording import WORDING as OF_STORIES
from kholo.model import Said
from kholo.record.wording import WORDING as OF_RECORD
from kholo.wording import Sentence

ROOMS = {"record": OF_RECORD, "detect": OF_INCIDENTS, "judge": OF_STORIES}
SENTENCES: dict[str, Sentence] = {one.id: one for wording in ROOMS.values() for one in wording.table.sentence}


def spoken(said: Iterable[Said]) -> str:
    """What the sentences say. It must be the text that they were kept beside."""
    return "".join(
        SENTENCES[one.id].text.format(
            **{name: spoken(value) if isinstance(value, tuple) else value for name, value in one.parts}
        )
        for one in said
    )
