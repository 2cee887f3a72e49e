"""Elements of SVG as strings. Every text and every value of an attribute is escaped here."""

from __future__ import annotations

from markupsafe import Markup, escape

from .safe import visible

Value = str | int | float | None


def number(value: float) -> str:
    """At most one place after the point: the same digits on every machine, and few of them."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def tag(name: str, *children: str, **attributes: Value) -> Markup:
    """One element. `class_` gives `class`, `text_anchor` gives `text-anchor`; None leaves the attribute out.

    Children that are `Markup` stand as they are, any other text is escaped.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(child if isinstance(child, Markup) else escape(visible(child)) for child in children)
    if not inner:
        return Markup(f"<{name}{written}/>")  # noqa: S704 - names are ours, values escaped
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - children escaped above


def _value(value: str | int | float) -> str:
    if isinstance(value, str):
        return str(escape(visible(value)))
    return number(value)


def rect(x: float, y: float, width: float, height: float, class_: str, fill: str | None = None) -> Markup:
    """A rectangle."""
    return tag("rect", x=x, y=y, width=width, height=height, class_=class_, fill=fill)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def label(
    x: float, y: float, text: str, class_: str = "t", text_anchor: str | None = None, translate: str | None = None
) -> Markup:
    """A line of text, `y` its baseline; `translate` is "no" for a name."""
    return tag("text", text, x=x, y=y, class_=class_, text_anchor=text_anchor, translate=translate)


def group(*children: Markup, **attributes: Value) -> Markup:
    """Several elements as one."""
    return tag("g", *children, **attributes)
