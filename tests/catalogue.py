"""The texts of pages and papers, found where they stand, and every catalogue up to date with them."""

from __future__ import annotations

import io
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from kholo.judge.facts import BITS, words
from kholo.judge.ruleset import load_ruleset
from kholo.papers import language as papers
from kholo.publish.catalogue import PAGES
from kholo.publish.dates import MONTHS, SHORT
from kholo.record.law import load_law
from kholo.record.threepart import questions
from kholo.record.translations import MACHINE, written
from kholo.reference import load_services
from kholo.reference.places import names

ROOT = Path(__file__).parents[1]
PUBLISH = ROOT / "src/kholo/publish"

_CONTEXT = ((1, "c"), 2)
KEYWORDS = {
    "say": None, "marked": None, "gettext": None, "ngettext": (1, 2), "many": (1, 2), "about": _CONTEXT,
}  # fmt: skip


def template() -> Catalog:
    """Every text that a page can say, in English."""
    made = _empty(PAGES.name)
    for path in sorted(PUBLISH.rglob("*.py")):
        _add(made, path, "python", {})
    for path in sorted((PUBLISH / "templates").glob("*.html")):
        _add(made, path, "jinja2.ext:babel_extract", {"trimmed": "true", "newstyle_gettext": "true"})
    for path in sorted(ROOT.glob("src/kholo/*/wording.toml")):
        for sentence in tomllib.loads(path.read_text())["sentence"]:
            if not sentence["id"].startswith("diff."):
                made.add(sentence["text"], context=sentence["id"], auto_comments=[sentence["when"]])
    for context, text in _data():
        made.add(text, context=context)
    for context, texts in (("month", MONTHS), ("short month", SHORT), ("place", sorted(names().values()))):
        for text in texts:
            made.add(text, context=context)
    return made


def _data() -> Iterator[tuple[str, str]]:
    """Texts of our data that pages show, with what they are."""
    yield from (("fact", words(name)) for name in BITS)
    yield from (("service", service.names) for service in load_services().services)
    yield from (("rule", rule.why) for rule in load_ruleset().rules)
    yield from (("three-part test", text) for one in questions() for text in (one.ask, one.rests_on))
    for law in load_law().values():
        for statute in law.statute:
            shown = [one for one in statute.provision if one.topic != "evidence"]
            yield from (("law", text) for one in shown for text in (statute.name, one.section, one.says))


def _add(made: Catalog, path: Path, method: str, options: dict[str, str]) -> None:
    found = extract_from_file(method, path, keywords=KEYWORDS, comment_tags=(), options=options)
    for _, message, _, context in found:
        made.add(message, context=context)


def updated(content: bytes, code: str, source: Catalog) -> bytes:
    """A catalogue with every text of a source in it; what is new has no translation yet, but for names of places."""
    name = source.domain
    old = read_po(io.BytesIO(content), domain=name)
    new = Catalog(
        domain=name, project=name, charset="utf-8", fuzzy=False, header_comment=old.header_comment, locale=code
    )
    own = _place_names(code)
    for message in source:
        if not message.id:
            continue
        before = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        text = before.string if before else own.get(str(message.id), "") if message.context == "place" else ""
        comments = before.user_comments if before else [MACHINE]
        new.add(
            message.id, text or "", context=message.context, auto_comments=message.auto_comments,
            user_comments=comments, flags=message.flags,
        )  # fmt: skip
    return written(new, is_sorted=True)


def _place_names(code: str) -> dict[str, str]:
    """Names of places in a language, as the Unicode CLDR has them."""
    try:
        own = Locale.parse(code).territories
    except (UnknownLocaleError, ValueError):
        return {}
    return {name: own[key] for key, name in names().items() if key in own}


def template_of_papers() -> Catalog:
    """Every text that a paper can say, in English."""
    made, source = _empty(papers.PAPERS.name), papers.source()
    for key, text in source.texts.items():
        made.add(text, context=key)
    for one_and_more in source.counts.values():
        made.add(one_and_more, context="count")
    for name, known in source.words.items():
        for word in known.values():
            made.add(word, context=name)
    for text in (text for both in source.glossary.values() for text in both):
        made.add(text, context="glossary")
    return made


def _empty(domain: str) -> Catalog:
    return Catalog(domain=domain, project=domain, charset="utf-8", fuzzy=False)


#: What has catalogues, with the texts that stand in them.
DOMAINS = ((PAGES, template), (papers.PAPERS, template_of_papers))


def main() -> None:
    """Bring every catalogue up to date, and say what lacks a translation."""
    for domain, source in DOMAINS:
        for code in domain.codes():
            path = Path(str(domain.path(code)))
            path.write_bytes(updated(path.read_bytes(), code, source()))
            left = [str(one.id) for one in read_po(io.BytesIO(path.read_bytes())) if one.id and not is_done(one.string)]
            sys.stdout.write(f"{path.name}, {code}: {len(left)} texts without a translation\n")


def is_done(text: object) -> bool:
    """Whether a message has all of its translation."""
    return bool(text) if isinstance(text, str) else all(text)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
