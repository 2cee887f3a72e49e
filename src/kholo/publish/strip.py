"""The small band of a case on the front page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from kholo.model import State

from .axis import scale_for, ticks
from .language import Language
from .svg import label, line, rect, tag
from .told import plain
from .view import CaseView

_CLASS = {
    State.OK: "ok",
    State.DOWN: "down",
    State.BLOCKED: "blocked",
    State.THROTTLED: "throttled",
    State.INSUFFICIENT: "none",
}


def strip(view: CaseView, spans: Sequence[tuple[State, float, float]], title: str, language: Language) -> Markup:
    """One band; `spans` are state, first and last moment (`dates.ordinal`). Throttled is half as high."""
    scale = scale_for(view, 1.0, 319.0)
    drawn = [rect(1, 1, 318, 16, "empty")]
    for state, first, last in spans:
        left, right = scale.x(first), scale.x(last)
        top, height = (9, 8) if state is State.THROTTLED else (1, 16)
        drawn.append(rect(left, top, max(1.5, right - left), height, f"s-{_CLASS[state]}"))
    for tick in ticks(scale, 90.0, language):
        drawn.append(line(tick.x, 17, tick.x, 21, "rule"))
        edge = "end" if tick.x > 290 else ("start" if tick.x < 30 else "middle")
        drawn.append(label(tick.x, 32, tick.text, "t axis", edge))
    return tag(
        "svg",
        tag("title", plain(title, language)),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox="0 0 320 36",
        class_="strip",
        role="img",
    )
