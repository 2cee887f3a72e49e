"""The wording of every assessment and clock: one table, `wording.toml`, that lawyers can review."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from kholo.wording import Told, Wording

WORDING = Wording(Path(__file__).with_name("wording.toml"))
say = WORDING.say


def span(start: datetime, end: datetime) -> Told:
    """A span whose end is not included, as days."""
    last = max(start, end - timedelta(microseconds=1)).date()
    if last == start.date():
        return say("span.day", earliest=start.date())
    return say("span", earliest=start.date(), latest=last)


def day(moment: datetime | date) -> str:
    """A moment as a person reads it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else str(moment)


def page() -> str:
    """The page of the documentation, made from the table itself."""
    table = WORDING.table
    lines = [
        "# The wording of assessments and clocks",
        "",
        "<!-- Made from src/kholo/record/wording.toml: kholo case wording --markdown > docs/assessment-wording.md -->",
        "",
        "Every sentence that says how a claim or an order stands. Nothing is said of them that is not in this table.",
        "A lawyer can review it here. To change a sentence, change `src/kholo/record/wording.toml`; it stands nowhere",
        "else. What is said of one claim is put together of several sentences. Words in braces are filled in:",
        "",
        "| in braces | stands for |",
        "|---|---|",
        *(f"| `{{{name}}}` | {text} |" for name, text in sorted(table.parts.items())),
        "",
        "| id | said when | sentence |",
        "|---|---|---|",
        *(f"| `{one.id}` | {one.when} | {one.text.strip()} |" for one in table.sentence),
    ]
    return "\n".join(lines) + "\n"
