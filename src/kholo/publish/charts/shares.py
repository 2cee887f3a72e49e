"""Networks by their share of the users: who was blocked. A share that nobody gave is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec
from markupsafe import Markup, escape

from kholo.model import EffectInput, State

from ..answer import case_incidents, standing_findings
from ..bands import BAND, fill, patterns
from ..language import Language, marked
from ..legend import legend, swatch
from ..rows import network_label
from ..spans import DECISIVE, network_key
from ..svg import label, line, rect
from ..view import CaseView
from .frame import MOST_ROWS, Chart, Size, clipped, named, pictures

#: Bars drawn; the rest stands in the table.
MOST_BARS = 24


class Hit(StrEnum):
    """What a network saw in the time of the case."""

    BLOCKED = "blocked"
    THROTTLED = "throttled"
    CLEAR = "clear"
    UNKNOWN = "unknown"


_WORDS = {
    Hit.BLOCKED: marked("blocked for some time"),
    Hit.THROTTLED: marked("throttled for some time"),
    Hit.CLEAR: marked("no incident found"),
    Hit.UNKNOWN: marked("not enough measured"),
}
_FILLS = {
    Hit.BLOCKED: State.BLOCKED,
    Hit.THROTTLED: State.THROTTLED,
    Hit.CLEAR: State.OK,
    Hit.UNKNOWN: State.INSUFFICIENT,
}
COLUMNS = (
    "network", "name", "state", "by", "share_low", "share_central", "share_high", "year", "assumption", "says",
    "sources", "read", "simulated",
)  # fmt: skip


class Network(msgspec.Struct, frozen=True):
    """A network, what it saw, by what (`incidents`, `findings` or `days`), and its share of the users where known."""

    network: str
    hit: Hit
    by: str
    share: EffectInput | None


def networks(view: CaseView) -> list[Network]:
    """Every network that was measured, hit or given a share: the largest first, then those of unknown share by number.

    Incidents decide; where there is none, published findings that name networks.
    """
    shares = {item.name: item for item in (view.effect.inputs if view.effect else ()) if item.name.startswith("AS")}
    hits, by = _hits(view)
    known = {row.network for row in view.days if row.state in DECISIVE}
    names = {row.network for row in view.days} | hits.keys() | shares.keys()
    found = [
        Network(
            name,
            hits.get(name, Hit.CLEAR if name in known else Hit.UNKNOWN),
            by if name in hits else "days",
            shares.get(name),
        )
        for name in names
    ]
    return sorted(found, key=lambda one: (-one.share.range.central if one.share else 0.0, network_key(one.network)))


def _hits(view: CaseView) -> tuple[Mapping[str, Hit], str]:
    spells = [(spell.network, spell.state) for row in case_incidents(view) for spell in row.spells]
    if spells:
        return _worst(spells), "incidents"
    claims = [entry.proposition for entry in standing_findings(view)]
    return _worst((name, claim.state) for claim in claims if claim for name in claim.networks), "findings"


def _worst(seen: Iterable[tuple[str, State]]) -> dict[str, Hit]:
    out: dict[str, Hit] = {}
    for name, state in seen:
        if state is State.BLOCKED:
            out[name] = Hit.BLOCKED
        elif state is State.THROTTLED:
            out.setdefault(name, Hit.THROTTLED)
    return out


def shares(view: CaseView, language: Language, key: str = "shares") -> Chart | None:
    """The chart; without a picture where no share is known, None where no network is."""
    found = networks(view)
    if not found:
        return None
    drawn = [one for one in found if one.share][:MOST_BARS]
    title = language.say("Networks by their share of the users")
    told = [
        language.say(
            "{network}: {share}, {hit}",
            network=one.network, share=_percent(one.share.range.central, language), hit=language.say(_WORDS[one.hit]),
        )
        for one in drawn if one.share
    ]  # fmt: skip
    caption = language.say(
        "Shares of the users are inputs of the case, with their sources in the table. The thin line goes from the"
        " lowest to the highest value that the sources allow."
    )
    if not drawn:
        caption = language.say("How many users each network has is not known here: the case holds no source for it.")
    elif len(drawn) < len(found):
        caption += " " + language.many(
            "Of {n} more network the share is not known, or too small to draw.",
            "Of {n} more networks the share is not known, or too small to draw.",
            len(found) - len(drawn),
        )
    draw = partial(_drawn, view, drawn, language)
    desc = language.row(told) + language.about("end of a sentence", ".")
    return Chart(
        title=title,
        caption=caption,
        pictures=pictures(key, title, desc, view, language, draw) if drawn else (),
        head=tuple(
            map(language.say, (marked("Network"), marked("Seen"), marked("Share of the users"), marked("Source")))
        ),
        rows=tuple(_row(view, one, language) for one in found[:MOST_ROWS]),
        csv="networks.csv",
        more=max(0, len(found) - MOST_ROWS),
    )


def _row(view: CaseView, one: Network, language: Language) -> tuple[str, ...]:
    hit = language.say(_WORDS[one.hit])
    if one.by == "findings":
        hit = language.say("{what}, by published findings", what=hit)
    name = named(one.network, view.network_names.get(one.network, ""))
    if one.share is None:
        return (name, hit, language.say("share not known"), "")
    share = language.say(
        "{central} ({low} to {high}), {year}",
        central=_percent(one.share.range.central, language),
        low=_percent(one.share.range.low, language),
        high=_percent(one.share.range.high, language),
        year=language.digits(str(one.share.year)),
    )
    if one.share.is_assumption:
        share = language.say("{share}; an assumption", share=share)
    return (name, hit, share, _sources(one.share, language))


def _sources(share: EffectInput, language: Language) -> Markup:
    comma = escape(language.about("between items", ", "))
    return escape(language.about("between clauses", "; ")).join(
        comma.join((named(one.publisher), language.say("read {day}", day=language.short_day(one.read))))
        for one in share.sources
    )


def _percent(part: float, language: Language) -> str:
    return language.say("{n}%", n=round(100 * part, 1))


def _drawn(
    view: CaseView, bars: list[Network], language: Language, size: Size, prefix: str, top: float
) -> tuple[list[Markup], float]:
    left = 200.0 if size.is_wide else 4.0
    right = size.width - 64.0
    # A millionth of the users fills the width at most: of less no scale can be made.
    most = max((1e-6, *(one.share.range.high for one in bars if one.share)))
    parts, y = [patterns(prefix)], top
    for one in bars:
        if one.share is None:
            continue
        name = clipped(network_label(view, one.network), 30 if size.is_wide else 44)
        if size.is_wide:
            parts.append(label(left - 10, y + 11, name, "t", "end", translate="no"))
        else:
            parts.append(label(left, y + 11, name, translate="no"))
            y += 16
        width = (right - left) / most
        ends = one.share.range
        parts.append(rect(left, y, max(1.0, ends.central * width), BAND, "bar", fill(_FILLS[one.hit], prefix)))
        low, high, middle = left + ends.low * width, left + ends.high * width, y + BAND / 2
        parts += [
            line(low, middle, high, middle, "whisker"),
            line(low, middle - 4, low, middle + 4, "whisker"),
            line(high, middle - 4, high, middle + 4, "whisker"),
            label(high + 6, y + 11, _percent(ends.central, language), "t strong"),
        ]
        y += BAND + 8
    hits = [hit for hit in Hit if any(one.hit is hit for one in bars)]
    drawn, bottom = legend(
        [(partial(swatch, fill(_FILLS[hit], prefix)), 16, language.say(_WORDS[hit])) for hit in hits],
        size.width, y + 4,
    )  # fmt: skip
    return [*parts, drawn], bottom


def share_rows(view: CaseView) -> Iterable[dict[str, Any]]:
    """The same as flat rows."""
    for one in networks(view):
        share = one.share
        yield {
            "network": one.network,
            "name": view.network_names.get(one.network, ""),
            "state": one.hit.value,
            "by": one.by,
            "share_low": share.range.low if share else None,
            "share_central": share.range.central if share else None,
            "share_high": share.range.high if share else None,
            "year": share.year if share else None,
            "assumption": share.is_assumption if share else None,
            "says": share.says if share else None,
            "sources": [item.address for item in share.sources] if share else None,
            "read": [item.read.isoformat() for item in share.sources] if share else None,
            "simulated": view.simulated,
        }
