"""The wording of every assessment and clock, in one table that lawyers can review. Braces are filled in."""

from __future__ import annotations

from datetime import date, datetime, timedelta

WORDING = {
    "measured.ok.contradicted": (
        "Measurements show {service} {state} on {hit} of {all} measured networks ({networks}) in that time:"
        " {incidents}."
    ),
    "measured.ok.supported": (
        "On every day of that time, on all {all} measured networks, measurements show {service} working"
        " ({results} results), and no incident reaches into it."
    ),
    "measured.impaired.supported": (
        "Measurements show {service} {state} on {hit} of {all} measured networks ({networks}) for {part} that time:"
        " {incidents}."
    ),
    "measured.impaired.contradicted": (
        "On every day of that time, on all {all} measured networks, measurements show {service} working"
        " ({results} results), and no incident reaches into it."
    ),
    "measured.impaired.other": "Measurements show {service} impaired, but {state}, not {claimed}: {incidents}.",
    "found.ok.contradicted": "A published finding says {service} was {state} {span}: {entries}.{unmeasured}",
    "found.ok.supported": "A published finding says {service} worked in that time: {entries}.{unmeasured}",
    "found.impaired.supported": "A published finding says the same, {service} {state} {span}: {entries}.{unmeasured}",
    "found.impaired.contradicted": (
        "A published finding says {service} worked in all of that time: {entries}.{unmeasured}"
    ),
    "found.partial": "Findings ({entries}) say the same of a part of that time; of the rest, none speaks.",
    "disagree": "Published findings speak against each other here ({entries}), and nothing settles it.{unmeasured}",
    "later": "The time that the claim speaks of is not over yet.",
    "partial": "Measured only in part: {covered} of {wanted} network-days have enough measurements, {results} results.",
    "none": "No measurement and no finding covers it.{nearest}",
    "nearest": " The nearest finding ({entry}) says how it was {span}.",
    "unmeasured": " No raw measurements of that time are in the store.",
    "clock.met": "Met already when it fell due.",
    "clock.met.found": "By published findings met already when it fell due ({evidence}).",
    "clock.restored": "Access returned between {earliest} and {latest} ({evidence}).",
    "clock.restored.found": "By published findings access returned on {latest} ({evidence}).",
    "clock.lapsed": "The order was limited to {until}.",
    "clock.running": "Nothing in the evidence shows it met.",
    "clock.brief": " Brief restorations in between are reported: {entries}.",
    "ordered.met": "Already {state} when it fell due ({evidence}).",
    "ordered.met.later": (
        "Not yet {state} when it fell due; {state} from between {earliest} and {latest} on ({evidence})."
    ),
    "ordered.met.perhaps": (
        "{state} from between {earliest} and {latest} on ({evidence}); nothing shows that it was later than ordered."
    ),
    "ordered.over": " Access came back between {earliest} and {latest}, while the order still stood.",
    "ordered.met.on": "By measurements met on {all} of {all} measured networks ({evidence}).",
    "ordered.met.found": "By published findings already {state} when it fell due ({evidence}).",
    "ordered.not": "Measurements show the service working on {days} days after it fell due, and never as ordered.",
    "ordered.not.on": "Not met on {hit} of {all} measured networks ({networks}).",
    "ordered.otherwise": " Findings of access after that are reported: {entries}.",
    "silence.none": "A public reason was given by the day on which the block ({start}) began: {entry}.",
    "silence.stopped": "From the block ({start}) to the first public reason given ({entry}).",
    "silence.running": "From the block ({start}); no entry of the record gives a public reason.",
}


def say(key: str, **parts: object) -> str:
    """One sentence of the table, filled in."""
    said = WORDING[key].format(**parts)
    return said[:1].upper() + said[1:]


def span(start: datetime, end: datetime) -> str:
    """A span whose end is not included, as days."""
    last = (end - timedelta(microseconds=1)).date()
    return f"on {start.date()}" if last == start.date() else f"from {start.date()} to {last}"


def day(moment: datetime | date) -> str:
    """A moment as a person reads it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else str(moment)
