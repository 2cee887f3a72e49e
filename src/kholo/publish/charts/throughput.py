"""How fast a service came, beside other sites on the same network at the same time, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from markupsafe import Markup

from kholo.detect.rates import RateFinding, Side
from kholo.detect.throughput import RatePoint

from ..axis import Scale, ticks
from ..dates import ordinal
from ..language import Language, marked
from ..legend import Sample, legend
from ..rows import network_label
from ..spans import network_key
from ..svg import group, label, line, number, rect, tag
from ..view import CaseView
from .frame import MOST_ROWS, Chart, Size, pictures

HEIGHT = 190.0
#: Pixels: of a mark where there is room for it.
_RADIUS = 2.5
#: Networks drawn, each a chart; all are in the data.
MOST_CHARTS = 6
COLUMNS = (
    "network", "first", "days", "service_reports", "service_kbits", "service_cut_off", "others_reports", "others_kbits",
    "others_cut_off", "simulated",
)  # fmt: skip


class Axis(msgspec.Struct, frozen=True):
    """Rates (kbit/s) on a logarithmic axis from 10**low at the bottom to 10**high at the top."""

    low: int
    high: int
    top: float
    bottom: float

    def y(self, kbits: float) -> float:
        """The pixel of a rate; what lies outside is put at the edge."""
        part = (math.log10(max(kbits, 1e-9)) - self.low) / (self.high - self.low)
        return self.bottom - min(1.0, max(0.0, part)) * (self.bottom - self.top)


def axis_of(points: Iterable[RatePoint], top: float) -> Axis:
    """Whole powers of ten around every rate."""
    rates = [side.kbits for one in points for side in (one.service, one.others) if side.kbits]
    low, high = (math.log10(edge(rates, default=100.0)) for edge in (min, max))
    first = math.floor(low)
    return Axis(first, max(first + 1, math.ceil(high)), top, top + HEIGHT)


def speed_charts(view: CaseView, language: Language, only: Collection[str] | None = None) -> tuple[Chart, ...]:
    """A chart for each network on which the service was throttled by rate, or for those of them in `only`."""
    by_network: dict[str, list[RatePoint]] = {}
    for one in sorted(view.speeds):
        if only is None or one.network in only:
            by_network.setdefault(one.network, []).append(one)
    names = sorted(by_network, key=network_key)[:MOST_CHARTS]
    return tuple(_chart(view, by_network[name], f"speed{at}", language) for at, name in enumerate(names))


def _chart(view: CaseView, points: Sequence[RatePoint], key: str, language: Language) -> Chart:
    network = points[0].network
    slow = [one for one in view.slow if one.network == network]
    title = language.say(
        "How fast {service} came on {network}, beside other sites",
        service=view.service, network=network_label(view, network),
    )  # fmt: skip
    period = language.say(marked("a day") if points[0].days == 1 else marked("a week"))
    caption = language.say(
        "One point {period} (UTC), the median over its reports, on a logarithmic axis: each line up is ten times"
        " faster. The shaded time is when {service} was throttled; where other sites are as slow, it is the line."
        " Where there is no point, no page came that tells a speed.",
        period=period, service=view.service,
    )  # fmt: skip
    desc = language.say(
        "{n} points of {service} and of other sites. The table below holds all of them.",
        n=len(points), service=view.service,
    )  # fmt: skip
    rows = [_row(one, slow, language) for one in points]
    return Chart(
        title=title,
        caption=caption,
        pictures=pictures(key, title, desc, view, language, partial(_drawn, view, points, slow, language)),
        head=(
            language.say("From"),
            language.say("When"),
            language.say("{service}, kbit/s (reports)", service=view.service),
            language.say("Other sites, kbit/s (reports)"),
        ),
        rows=tuple(rows[:MOST_ROWS]),
        csv="speeds.csv",
        more=max(0, len(rows) - MOST_ROWS),
    )


def _row(one: RatePoint, slow: Sequence[RateFinding], language: Language) -> tuple[str, ...]:
    return (
        language.day(one.first),
        language.say(when(one, slow)),
        _cell(one.service, language),
        _cell(one.others, language),
    )


def when(one: RatePoint, slow: Sequence[RateFinding]) -> str:
    """Whether a point lies before, in or after the times in which the service was slow."""
    spans = [(found.since.date(), found.until.date()) for found in slow]
    last = one.first.toordinal() + one.days - 1
    if any(one.first <= until and last >= since.toordinal() for since, until in spans):
        return marked("while throttled")
    if spans and last < min(since for since, _ in spans).toordinal():
        return marked("before")
    if spans and one.first > max(until for _, until in spans):
        return marked("after")
    return marked("between")


def _cell(side: Side, language: Language) -> str:
    if side.kbits is None:
        if not side.reports:
            return language.say("none")
        return language.many("none finished ({n} report)", "none finished ({n} reports)", side.reports)
    return f"{language.number(side.kbits)} ({language.number(side.reports)})"


def _drawn(
    view: CaseView, points: Sequence[RatePoint], slow: Sequence[RateFinding], language: Language,
    size: Size, prefix: str, top: float,
) -> tuple[list[Markup], float]:  # fmt: skip
    del prefix
    axis = axis_of(points, top + 18)
    first, last = ordinal(points[0].first), ordinal(points[-1].first) + points[-1].days
    scale = Scale(first, last, 74.0 if size.is_wide else 62.0, size.width - 8)
    parts = [_shade(found, scale, axis) for found in slow]
    for power in range(axis.low, axis.high + 1):
        y = axis.y(10.0**power)
        parts.append(line(scale.left, y, scale.right, y, "grid"))
        parts.append(label(scale.left - 6, y + 4, _rate(10.0**power, language), "t axis", "end"))
    for tick in ticks(scale, 78.0, language):
        edge = "end" if tick.x > scale.right - 24 else "middle"
        parts.append(line(tick.x, axis.bottom, tick.x, axis.bottom + 4, "rule"))
        parts.append(label(tick.x, axis.bottom + 16, tick.text, "t axis", edge))
    parts += [
        _series([(one, one.others) for one in points], scale, axis, "others"),
        _series([(one, one.service) for one in points], scale, axis, "own"),
    ]
    items: list[tuple[Sample, float, str]] = [
        (partial(_sample, "own"), 22, language.say("{service} itself", service=view.service)),
        (partial(_sample, "others"), 22, language.say("other sites")),
        (_shaded, 16, language.say("throttled")),
    ]
    if any(_is_alone(side) for one in points for side in (one.service, one.others)):
        items.append((_crossed, 10, language.say("one report only")))
    drawn, bottom = legend(items, size.width, axis.bottom + 24)
    return [*parts, drawn], bottom


def _rate(kbits: float, language: Language) -> str:
    if kbits >= 1_000:
        return language.say("{n} Mbit/s", n=kbits / 1_000)
    return language.say("{n} kbit/s", n=kbits)


def _shade(found: RateFinding, scale: Scale, axis: Axis) -> Markup:
    left = scale.x(found.onset.latest if found.onset else found.since)
    right = scale.x(found.end.earliest if found.end else found.until)
    return rect(left, axis.top - 6, max(1.0, right - left), axis.bottom - axis.top + 6, "shade")


class _Point(msgspec.Struct, frozen=True):
    """A mark: its day and how many it stands for, its pixel, and whether it rests on a single report."""

    day: float
    days: int
    x: float
    y: float
    is_alone: bool


def _is_alone(side: Side) -> bool:
    """A single report may be of an odd line or a stalled transfer: it is shown, but makes no series."""
    return side.kbits is not None and side.reports == 1


def _series(points: Sequence[tuple[RatePoint, Side]], scale: Scale, axis: Axis, class_: str) -> Markup:
    """A mark a point, joined where nothing is missing between two: circles for the service, squares for other sites,
    crosses for what rests on one report."""
    at = [
        _Point(
            ordinal(one.first), one.days, scale.x(ordinal(one.first) + one.days / 2), axis.y(side.kbits),
            _is_alone(side),
        )
        for one, side in points if side.kbits is not None
    ]  # fmt: skip
    firm = [one for one in at if not one.is_alone]
    joined = ""
    for index, one in enumerate(firm):
        is_next = index > 0 and one.day - firm[index - 1].day <= firm[index - 1].days * 1.01
        joined += f"{'L' if is_next else 'M'}{number(one.x)} {number(one.y)}"
    step = points[0][0].days * (scale.right - scale.left) / (scale.last - scale.first)
    radius = min(_RADIUS, max(1.2, 0.45 * step))
    marks = "".join(_mark(one.x, one.y, class_, radius) for one in firm)
    crosses = "".join(_cross(one.x, one.y) for one in at if one.is_alone)
    return group(
        tag("path", d=joined, class_=f"join {class_}"),
        tag("path", d=marks, class_=f"at {class_}"),
        *([tag("path", d=crosses, class_=f"lone {class_}")] if crosses else []),
    )


def _mark(x: float, y: float, class_: str, radius: float) -> str:
    r, wide, side = number(radius), number(2 * radius), number(1.76 * radius)
    if class_ == "own":
        return f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {wide} 0a{r} {r} 0 1 0 -{wide} 0"
    return f"M{number(x - 0.88 * radius)} {number(y - 0.88 * radius)}h{side}v{side}h-{side}z"


def _cross(x: float, y: float) -> str:
    return f"M{number(x - 2.2)} {number(y - 2.2)}l4.4 4.4m0 -4.4l-4.4 4.4"


def _sample(class_: str, x: float, y: float) -> Markup:
    joined = tag("path", d=f"M{number(x)} {number(y + 8)}h22", class_=f"join {class_}")
    return group(joined, tag("path", d=_mark(x + 11, y + 8, class_, _RADIUS), class_=f"at {class_}"))


def _crossed(x: float, y: float) -> Markup:
    return tag("path", d=_cross(x + 5, y + 8), class_="lone")


def _shaded(x: float, y: float) -> Markup:
    return rect(x, y + 2, 16, 11, "shade")


def speed_rows(view: CaseView) -> Iterable[dict[str, Any]]:
    """The same as flat rows."""
    for one in sorted(view.speeds):
        sides = {"service": one.service, "others": one.others}
        yield {
            "network": one.network,
            "first": one.first,
            "days": one.days,
            **{
                f"{name}_{key}": value
                for name, it in sides.items()
                for key, value in msgspec.structs.asdict(it).items()
            },
            "simulated": one.simulated or view.simulated,
        }
