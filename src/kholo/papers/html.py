"""A paper as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kholo.publish.safe import language, web_address

from .document import Document, Grid, Heading, Items, Paragraph, Picture, Style, is_latin


def html(document: Document) -> bytes:
    """UTF-8. Everything is escaped; a link is one only where the address is a plain web address."""
    style = _style() + (
        f'\n@page {{ @top-center {{ content: "{_css(document.notice)}"; }} }}' if document.notice else ""
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _environment().get_template("paper.html")
    return page.render(paper=document, style=Markup(style), style_digest=digest).encode()  # noqa: S704 - our own


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("templates/paper.css").read_text(encoding="utf-8")


def _css(text: str) -> str:
    """A text as the inside of a CSS string: every character that is no letter or digit as its number."""
    return "".join(char if char.isalnum() else f"\\{ord(char):x} " for char in text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kholo.papers"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"Style": Style}
    environment.filters |= {"web": web_address, "language": language, "digits": _digits, "inline": _inline}
    environment.tests |= {
        "latin": is_latin,
        "heading": lambda block: isinstance(block, Heading),
        "paragraph": lambda block: isinstance(block, Paragraph),
        "items": lambda block: isinstance(block, Items),
        "grid": lambda block: isinstance(block, Grid),
        "picture": lambda block: isinstance(block, Picture),
    }
    return environment


def _digits(number: str, paper: Document) -> str:
    return "".join(paper.words["digits"][int(char)] for char in number)


def _inline(svg: str) -> str:
    """A drawing as an address of its own: as an image it loads and runs nothing, whatever is in it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
