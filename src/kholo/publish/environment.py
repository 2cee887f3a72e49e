"""The templates' environment: all is escaped, what is hidden is shown, and nothing undefined is printed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from kholo.model import Bracket

from . import dates, effects, recorded, safe, told, words
from .charts.clockline import clock_line
from .font import RANGE
from .language import Language, Part
from .news import feed_name
from .told import prose

#: Rows of each table of other witnesses, before the rest is left to data.json and to `kholo signals`.
MOST_OTHERS = 40

_T = TypeVar("_T")


def style() -> str:
    """The style sheet, a rule a line."""
    text = resources.files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def font_face(root: str) -> tuple[Markup, str]:
    """The rule that names the font for Urdu at the root of the site, and its digest for the policy.

    A browser loads the font when something is set in it: when the reader follows the link, or the script says so.
    """
    text = (
        '@font-face{font-family:"kholo Nastaliq";font-display:swap;src:local("Noto Nastaliq Urdu"),'
        f'url({root}assets/nastaliq.woff2) format("woff2");unicode-range:{RANGE}}}\n'
        'body:is(:target,.nastaliq):lang(ur){font-family:"kholo Nastaliq",serif}'
    )
    return Markup(text), _digest(text)  # noqa: S704 - our own; the root is dots and slashes


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def render(template: str, language: Language, **context: object) -> bytes:
    """A page. `context` is what the template names."""
    text = environment().get_template(template).render(language=language, **context)
    return text.encode("utf-8", errors="strict")


@cache
def environment() -> Environment:
    """The one environment of all pages."""
    made = Environment(
        loader=PackageLoader("kholo.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.globals |= _sheet() | _sentences() | _tables()
    made.filters |= _filters()
    return made


def _sheet() -> dict[str, Any]:
    """The style of every page."""
    text = style()
    return {
        "style": Markup(text),  # noqa: S704 - our own file
        "style_digest": _digest(text),
        "font_face": font_face,
    }


def _tables() -> dict[str, Any]:
    """Words by what they stand for, and what else is looked up."""
    return {
        "STATE": words.STATE,
        "OUTCOME": words.OUTCOME,
        "GRADE": words.GRADE,
        "KIND": words.KIND,
        "ROLE": words.ROLE,
        "ANSWERED": words.ANSWERED,
        "REASON": words.REASON,
        "STANDING": words.STANDING,
        "NO_BLOCK": words.NO_BLOCK,
        "VANTAGE": words.VANTAGE,
        "SIGNAL": words.SIGNAL,
        "NOTICE": words.NOTICE,
        "UNREAD": words.UNREAD,
        "PART": words.PART,
        "EFFECT_UNKNOWN": effects.UNKNOWN,
        "MOST_OTHERS": MOST_OTHERS,
    }


def _sentences() -> dict[str, Any]:
    """What says something in the language of the page."""
    return {
        "gettext": _gettext,
        "ngettext": _ngettext,
        "say": _say,
        "many": _many,
        "about": _about,
        "unit_words": _by(effects.unit_words),
        "input_words": _by(effects.input_words),
        "range_words": _by(effects.range_words),
        "changed_words": _by(effects.changed_words),
        "stretch": _method("stretch"),
        "slowness": _by(told.slowness),
        "reasons": _by(told.reasons),
        "ours": _by(told.ours),
        "clockline": _by(clock_line),
        "feed_name": _by(feed_name),
        "is_english": _is_english,
        "is_read": _by(recorded.is_read),
    }


def _filters() -> dict[str, Any]:
    return {
        **{name: _method(name) for name in ("day", "short_day", "moment", "bracket", "place", "month", "number")},
        "unbroken": dates.unbroken,
        "last_day": dates.last_day,
        "stamp": dates.stamp,
        "cell": safe.cell,
        "web": safe.web_address,
        "lang": safe.language,
        "prose": _by(prose),
        "plain": _by(told.plain),
        "begun": words.begun,
        "mechanism": _by(words.mechanism),
    }


def _shown(value: object) -> object:
    """Runs over every expression of every template: hidden characters can't be forgotten anywhere."""
    if isinstance(value, Markup):
        return value
    if value is None:
        raise TypeError("a template printed None")
    return safe.visible(str(value))


def _language(context: Context) -> Language:
    found: Language = context["language"]
    return found


@pass_context
def _is_english(context: Context, text: str) -> bool:
    """Whether a text of the record stands in English on a page in another language."""
    language = _language(context)
    return not language.is_source and text not in context["site"].translated(language)


def _method(name: str) -> Callable[..., str]:
    @pass_context
    def call(context: Context, *args: date | datetime | Bracket | str | float) -> str:
        found: str = getattr(_language(context), name)(*args)
        return found

    return call


def _by(function: Callable[..., _T]) -> Callable[..., _T]:
    """A function whose last argument is the language."""

    @pass_context
    def call(context: Context, *args: Any) -> _T:
        return function(*args, _language(context))

    return call


@pass_context
def _say(context: Context, text: str, /, **parts: Part) -> str:
    return _language(context).say(text, **parts)


@pass_context
def _many(context: Context, one: str, more: str, number: int, /, **parts: Part) -> str:
    return _language(context).many(one, more, number, **parts)


@pass_context
def _about(context: Context, what: str, text: str, /, **parts: Part) -> str:
    return _language(context).about(what, text, **parts)


@pass_context
def _gettext(context: Context, text: str, /, **parts: Part | Markup) -> Markup:
    """What `{% trans %}` calls: the text is ours and may hold markup, what is filled in is not."""
    found = _language(context)
    return _filled(found, found.texts.gettext(text), parts)


@pass_context
def _ngettext(context: Context, one: str, more: str, number: int, /, **parts: Part | Markup) -> Markup:
    found = _language(context)
    return _filled(found, found.texts.ngettext(one, more, number), {"num": number, **parts})


def _filled(found: Language, text: str, parts: dict[str, Part | Markup]) -> Markup:
    safe_parts = {
        name: part if isinstance(part, Markup) else prose(found.written(part), found) for name, part in parts.items()
    }
    return Markup(text) % safe_parts  # noqa: S704 - the catalogue is part of the program
