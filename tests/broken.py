"""Two hundred ways to break a case by hand: what is changed, and where and how `kholo case check` has to say so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .broken_case import CASE, DENIAL, DUTY, FILES, PAGE, entry


class Broken(NamedTuple):
    """`at` is text that stands on exactly one line of the broken file: that line has to be named ("": no line).

    `problems`: how many problems there are in all; one mistake should give one.
    """

    change: Callable[[Path], None]
    file: str
    at: str
    key: str
    phrase: str
    problems: int = 1


def _swap(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")

    return change


def _bytes(file: str, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)

    return change


def _link(file: str, to: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        (folder / file).symlink_to(to)

    return change


def _pipe(folder: Path) -> None:
    (folder / "entries/denial.toml").unlink()
    os.mkfifo(folder / "entries/denial.toml")


def _entries_elsewhere(folder: Path) -> None:
    (folder / "entries").rename(folder / "elsewhere")
    (folder / "entries").symlink_to("elsewhere")


def _no_entries(folder: Path) -> None:
    for path in (folder / "entries").iterdir():
        path.unlink()


_D, _O, _C = "entries/denial.toml", "entries/order.toml", "case.toml"
_S, _A, _Q = "entries/stay.toml", "entries/appeal.toml", "entries/question.toml"
_R, _B = "entries/answer.toml", "entries/basis.toml"
_J, _V, _N, _K = "entries/joint.toml", "entries/vote.toml", "entries/contempt.toml", "entries/back.toml"
_CSV = "sources/names.csv"
_ADDRESS = '"https://news.example/denial"'
_ARCHIVED = '"sources/page.txt"'
_CURLY_OPEN, _CURLY_CLOSE = "\u201c", "\u201d"

#: File, what is replaced, by what, text on the line that is named, key, what is said[, number of problems].
_SWAPS: dict[str, tuple[str, str, str, str, str, str] | tuple[str, str, str, str, str, str, int]] = {
    # Misspelt keys.
    "misspelt id": (_D, 'id = "denial"', 'idd = "denial"', "idd", "idd", "did you mean 'id'", 2),
    "misspelt kind": (_D, "kind =", "knd =", "knd", "knd", "did you mean 'kind'"),
    "misspelt date": (_O, "date =", "dat =", "dat =", "dat", "did you mean 'date'", 2),
    "misspelt actor": (_D, "actor =", "acter =", "acter", "acter", "did you mean 'actor'"),
    "misspelt title": (_O, "title =", "titel =", "titel", "titel", "did you mean 'title'"),
    "misspelt summary": (_D, "summary =", "sumary =", "sumary", "sumary", "did you mean 'summary'"),
    "misspelt notes": (_D, "notes =", "note =", "note =", "note", "did you mean 'notes'"),
    "capital key": (_D, "summary =", "Summary =", "Summary", "Summary", "did you mean 'summary'"),
    "hyphen for underscore": (_N, "contempt_of =", "contempt-of =", "contempt-of", "contempt-of", "'contempt_of'"),
    "misspelt contradicts": (_D, "contradicts", "contradict", "contradict =", "contradict", "'contradicts'"),
    "misspelt retracts": (_K, "retracts", "retract", "retract =", "retract", "did you mean 'retracts'"),
    "misspelt stays": (_S, "stays =", "stay_s =", "stay_s", "stay_s", "did you mean 'stays'"),
    "misspelt answers": (_R, "answers =", "anwsers =", "anwsers", "anwsers", "did you mean 'answers'"),
    "misspelt source table": (_O, "[[source]]", "[[sources]]", "[[sources]]", "sources", "did you mean 'source'"),
    "misspelt proposition": (_D, "[proposition]", "[propositon]", "[propositon]", "propositon", "'proposition'"),
    "misspelt obligation": (_O, "[obligation]", "[obligatoin]", "[obligatoin]", "obligatoin", "'obligation'"),
    "misspelt reply": (_Q, "[reply]", "[replay]", "[replay]", "replay", "did you mean 'reply'"),
    "misspelt address": (_O, "address =", "adress =", "adress", "source.0.adress", "did you mean 'address'"),
    "misspelt publisher": (_O, "publisher", "publischer", "publischer", "source.0.publischer", "'publisher'"),
    "misspelt read": (_O, "read =", "reed =", "reed", "source.0.reed", "did you mean 'read'"),
    "misspelt quote": (_D, "quote =", "qoute =", "qoute", "source.0.qoute", "did you mean 'quote'", 2),
    "misspelt translation": (_D, "translation", "traslation", "traslation", "source.0.traslation", "'translation'"),
    "misspelt sha256": (_D, "sha256 =", "sha_256 =", "sha_256", "source.0.sha_256", "did you mean 'sha256'", 2),
    "misspelt state": (_D, "state =", "stat =", "stat =", "proposition.stat", "did you mean 'state'"),
    "misspelt networks": (_D, "networks =", "network =", "network =", "proposition.network", "'networks'"),
    "misspelt due": (_O, "due =", "duee =", "duee", "obligation.duee", "did you mean 'due'"),
    "misspelt statute": (_B, "statute", "statut", "statut =", "legal_basis.0.statut", "did you mean 'statute'"),
    "misspelt role": (_C, 'role = "court"', 'rol = "court"', "rol =", "actor.0.rol", "did you mean 'role'"),
    "misspelt actor table": (_J, "signatories_file", "signatory_file", "signatory_file", "signatory_file", "'signator"),
    "misspelt place of the case": (_C, "place =", "plase =", "plase", "plase", "did you mean 'place'"),
    "misspelt simulated": (_C, "simulated", "simulate", "simulate =", "simulate", "did you mean 'simulated'"),
    "a key of nothing": (_D, "actor =", 'colour = "red"\nactor =', "colour", "colour", "is not a key of this file"),
    "key in the wrong table": (
        _O, "until = 2025-05-01", 'until = 2025-05-01\nnotes = "N."', "notes", "obligation.notes", "above the first"),
    "link below a table": (
        _S, "until = 2025-04-01", 'until = 2025-04-01\nretracts = ["order"]', "retracts", "stay.retracts",
        "move it above the first [table]"),
    "end instead of to": (_D, "to = 2025-03-13", "end = 2025-03-13", "end =", "proposition.end", "is not a key", 2),
    # What is missing.
    "no id": (_D, 'id = "denial"\n', "", 'kind = "denial"', "id", "is missing", 2),
    "no kind": (_D, 'kind = "denial"\n', "", 'id = "denial"', "kind", "is missing; this file needs it"),
    "no date": (_O, "date = 2025-03-20\n", "", 'id = "order"', "date", "earliest and latest"),
    "no latest": (_O, "date = 2025", "earliest = 2025", "earliest =", "earliest", "give latest too"),
    "no earliest": (_O, "date = 2025", "latest = 2025", "latest =", "latest", "give earliest too"),
    "no actor": (_O, 'actor = "court"\n', "", 'id = "order"', "actor", "is missing"),
    "no title": (_O, 'title = "Of order"\n', "", 'id = "order"', "title", "is missing; this file needs it: a line"),
    "no summary": (_O, 'summary = "What was said: order."\n', "", 'id = "order"', "summary", "your own words"),
    "no publisher": (_D, 'publisher = "Radio Zed"\n', "", "[[source]]#2", "source.1.publisher", "who published it"),
    "no day of reading": (_D, "read = 2025-06-02\n", "", "[[source]]#2", "source.1.read", "the day it was read"),
    "no digest": (_D, "sha256 =", "# sha256 =", "[[source]]#1", "source.0.sha256", "is needed for an archived copy"),
    "digest of nothing": (_D, f"archived = {_ARCHIVED}\n", "", "sha256", "source.0.sha256", "name it in archived"),
    "translation of nothing": (
        _D, 'quote = "سروس بند نہیں ہے"\n', "", "translation", "source.0.translation", "give the original in quote"),
    "no start of a claim": (_D, "from = 2025-03-12\n", "", "[proposition]", "proposition.from", "is missing"),
    "no end of a claim": (_D, "to = 2025-03-13\n", "", "[proposition]", "proposition.to", "its end, not included"),
    "no state": (_O, 'state = "ok"\n', "", "[obligation]", "obligation.state", "is missing; [obligation] needs it"),
    "no due": (_O, "due = 2025-03-22T00:00:00Z\n", "", "[obligation]", "obligation.due", "is missing"),
    "no service": (_O, 'service = "chirp"\n', "", "[obligation]", "obligation.service", "is missing"),
    "empty reply": (_Q, "due = 2025-04-16\n", "", "[reply]", "reply.due", "from when on an answer is overdue"),
    "no statute": (_B, 'statute = "Order Act"\n', "", "[[legal_basis]]", "legal_basis.0.statute", "name of the law"),
    "stay of nothing": (_S, 'stays = ["order"]\n', "", 'id = "stay"', "stays", "a stay needs it"),
    "appeal against nothing": (_A, 'appeals = ["order"]\n', "", 'id = "appeal"', "appeals", "an appeal needs it"),
    "contempt of nothing": (_N, 'contempt_of = ["order"]\n', "", 'id = "contempt"', "contempt_of", "a contempt needs"),
    "answer to nothing": (_R, 'answers = ["question", "letter"]\n', "", 'id = "answer"', "answers", "an answer needs"),
    "answer to an empty list": (_R, '["question", "letter"]', "[]", "answers", "answers", "is an empty list"),
    "legal basis without one": (
        _V, 'kind = "event"', 'kind = "legal-basis"', 'id = "vote"', "legal_basis", "a legal-basis needs it", 2),
    "no start of the case": (_C, "start = 2025-03-01\n", "", 'id = "chirp-2025"', "start", "the first day"),
    "actor without a name": (
        _C, 'name = "Free Zed"\n', "", "[[actor]]#3", "actor.2.name", "is missing; an actor needs it"),
    # Wrong types.
    "number for an id": (_D, 'id = "denial"', "id = 7", "id = 7", "id", "a text in quotes, not a number", 2),
    "number for a title": (_O, '"Of order"', "2025", "title =", "title", "must be a text in quotes, not a number"),
    "list for an actor": (_D, '"regulator"', '["regulator"]', "actor =", "actor", "not a list"),
    "text for a day": (_O, "date = 2025-03-20", 'date = "2025-03-20"', "date =", "date", "without quotes"),
    "time for a day": (_O, "date = 2025-03-20", "date = 2025-03-20T10:00:00Z", "date =", "date", "not a time"),
    "number for a day": (_O, "date = 2025-03-20", "date = 20250320", "date =", "date", "not a number"),
    "text for a time": (_D, "from = 2025-03-12", 'from = "12 March"', "from =", "proposition.from", "without quotes"),
    "time without a zone": (_O, "00:00:00Z", "00:00:00", "due =", "obligation.due", "has no time zone"),
    "time of day alone": (_D, "from = 2025-03-12", "from = 10:00:00", "from =", "proposition.from", "a time of day"),
    "text for a flag": (_C, "simulated = true", 'simulated = "yes"', "simulated", "simulated", "without quotes"),
    "number for a flag": (
        _K, "retracts", "gives_reason = 1\nretracts", "gives_reason", "gives_reason", "true or false"),
    "text for a list": (_S, '["order"]', '"order"', "stays", "stays", 'such as ["one", "two"]', 1),
    "number in a list": (_D, '["order", "letter"]', '["order", 7]', "contradicts", "contradicts.1", "not a number"),
    "list in a list": (_D, '["order", "letter"]', '[["order"]]', "contradicts", "contradicts.0", "not a list"),
    "number in a list of several lines": (
        _C, '"The letter itself was not seen."', "12", "  12,", "limits.1", "must be a text in quotes"),
    "text for a table": (_O, DUTY, 'obligation = "none"', "obligation", "source.0.obligation", "above the first"),
    "text for the source": (
        _V, '\n[[source]]\naddress = "https://news.example/vote"\npublisher = "The Zed Times"\nread = 2025-06-01\n',
        'source = "The Zed Times"\n', "source", "source", "a line [[source]] before each"),
    "one bracket for the source": (_V, "[[source]]", "[source]", "[source]", "source", "must be a list of tables"),
    "two brackets for a claim": (
        _D, "[proposition]", "[[proposition]]", "[[prop", "proposition", "one pair of brackets"),
    "empty list of sources": (
        _V, '\n[[source]]\naddress = "https://news.example/vote"\npublisher = "The Zed Times"\nread = 2025-06-01\n',
        "source = []\n", "source", "source", "must be a list of tables"),
    "table for a title": (_O, '"Of order"', '{ en = "Of order" }', "title", "title", "not a table"),
    "true for a publisher": (_O, '"The Zed Times"', "true", "publisher", "source.0.publisher", "not true or false"),
    "infinite day": (_O, "date = 2025-03-20", "date = inf", "date =", "date", "not a number"),
    # Values that are none.
    "unknown kind": (_D, 'kind = "denial"', 'kind = "denail"', "kind", "kind", "did you mean 'denial'"),
    "kind in capitals": (_D, 'kind = "denial"', 'kind = "Denial"', "kind", "kind", "did you mean 'denial'"),
    "kind in other words": (_V, 'kind = "event"', 'kind = "election"', "kind", "kind", "allowed: admission, answer"),
    "unknown actor": (_D, '"regulator"', '"regulater"', "actor", "actor", "did you mean 'regulator'"),
    "name for an actor": (_D, '"regulator"', '"The Regulator"', "actor", "actor", "did you mean 'regulator'"),
    "unknown role": (_C, 'role = "regulator"', 'role = "regulater"', "regulater", "actor.1.role", "'regulator'"),
    "unknown service": (_D, 'service = "chirp"', 'service = "chrip"', "chrip", "proposition.service", "'chirp'"),
    "host for a service": (_C, 'service = "chirp"', 'service = "chirp.example"', "service", "service", "'chirp'"),
    "unknown state": (_D, 'state = "ok"', 'state = "okay"', "okay", "proposition.state", "did you mean 'ok'"),
    "state that nobody can claim": (_D, 'state = "ok"', 'state = "down"', "state =", "proposition.state", "allowed: "),
    "state of an order": (_O, 'state = "ok"', 'state = "restored"', "state =", "obligation.state", "blocked, ok"),
    "unknown event": (_V, '"election"', '"elections"', "event =", "event", "did you mean 'election'"),
    "unknown request": (_Q, '"information"', '"info"', "request", "request", "did you mean 'information'"),
    "unknown claimant": (_B, 'claimed_by = "regulator"', 'claimed_by = "PTA"', "claimed_by", "legal_basis.0.claimed_by",
        "is not an actor of case.toml"),
    "country by name": (_C, 'place = "ZZ"', 'place = "Pakistan"', "place", "place", "did you mean 'PK'"),
    "country in small letters": (_D, 'place = "ZZ"', 'place = "pk"', "place", "proposition.place", "did you mean 'PK'"),
    "three letters": (_O, 'place = "ZZ"', 'place = "PAK"', "place", "obligation.place", "two capitals (ISO 3166)"),
    "the usual wrong code": (_C, 'place = "ZZ"', 'place = "UK"', "place", "place", "did you mean 'GB'"),
    "network without AS": (_D, '"AS64501", ', '"64501", ', "networks", "proposition.networks.0", "mean 'AS64501'"),
    "network in small letters": (_D, '"AS64502"', '"as64502"', "networks", "proposition.networks.1", "'AS64502'"),
    "network by name": (_D, '"AS64502"', '"Zedtel"', "networks", "proposition.networks.1", "such as AS17557"),
    "network twice": (_D, '"AS64502"', '"AS64501"', "networks", "proposition.networks.1", "stands twice"),
    "language by name": (_D, '"ur"', '"Urdu"', "language", "source.0.language", "did you mean 'ur'"),
    "language by country": (_D, '"ur"', '"PK"', "language", "source.0.language", "BCP 47"),
    "language with underscore": (_D, '"ur"', '"ur_PK"', "language", "source.0.language", "is no language code"),
    "quote without its language": (_D, 'language = "ur"\n', "", "quote", "source.0.quote", "written in Arabic letters"),
    "entry id with a space": (_D, 'id = "denial"', 'id = "the denial"', "id =", "id", "single hyphens", 2),
    "entry id in capitals": (_D, 'id = "denial"', 'id = "Denial"', "id =", "id", "'Denial' is no id", 2),
    "entry id with two hyphens": (_V, 'id = "vote"', 'id = "vote--1"', "id =", "id", "single hyphens"),
    "entry id too long": (_V, 'id = "vote"', f'id = "{"v" * 81}"', "id =", "id", "has 81 characters"),
    "actor id with a slash": (_C, 'id = "society"', 'id = "so/ciety"', "so/ciety", "actor.2.id", "is no id", 4),
    "case id as a path": (_C, 'id = "chirp-2025"', 'id = "../chirp"', "../chirp", "id", "is no id"),
    # Dates that can't be.
    "day before 1990": (_O, "date = 2025-03-20", "date = 1025-03-20", "date =", "date", "1990 to 2100"),
    "day after 2100": (_O, "until = 2025-05-01", "until = 9999-12-31", "until", "obligation.until", "1990 to 2100"),
    "bounds the wrong way round": (
        _O, "date = 2025-03-20", "earliest = 2025-03-20\nlatest = 2025-03-18", "latest", "latest", "before earliest"),
    "date and bounds": (
        _O, "date = 2025-03-20", "date = 2025-03-20\nlatest = 2025-03-21", "date =", "date", "or both bounds"),
    "claim that ends before it begins": (
        _D, "to = 2025-03-13", "to = 2025-03-01", "to =", "proposition.to", "must be after from"),
    "claim of no time": (_D, "to = 2025-03-13", "to = 2025-03-12", "to =", "proposition.to", "not included itself"),
    "due before the order": (_O, "due = 2025-03-22", "due = 2025-03-02", "due", "obligation.due", "before the order"),
    "order that lapses before it is due": (
        _O, "until = 2025-05-01", "until = 2025-03-21", "until", "obligation.until", "must be after due"),
    "stay that ends before it begins": (
        _S, "until = 2025-04-01", "until = 2025-03-21", "until", "stay.until", "after from"),
    "stay from before its day": (_S, "from = 2025-03-21", "from = 2025-03-01", "from", "stay.from", "before the stay"),
    "answer due before the question": (
        _Q, "due = 2025-04-16", "due = 2025-03-16", "due", "reply.due", "before the question itself"),
    "read before it was published": (
        _D, "read = 2025-06-01", "read = 2025-03-01", "read = 2025-03-01", "source.0.read", "before the source was"),
    "case that ends before it begins": (_C, "end = 2025-06-30", "end = 2024-06-30", "end =", "end", "before the start"),
    "thirtieth of February": (_O, "date = 2025-03-20", "date = 2025-02-30", "date =", "date", "no day 2025-02-30"),
    "thirteenth month": (_D, "to = 2025-03-13", "to = 2025-13-03", "to =", "proposition.to", "no day 2025-13-03"),
    "day without zeros": (_O, "date = 2025-03-20", "date = 2025-3-20", "date =", "date", "four, two and two digits"),
    "day with slashes": (_O, "date = 2025-03-20", "date = 20/03/2025", "date =", "date", "is not TOML"),
    "day in words": (_O, "date = 2025-03-20", "date = 20 March 2025", "date =", "date", "write dates as 2024-02-17"),
    "twenty-fifth hour": (_O, "22T00:00:00Z", "22T25:00:00Z", "due", "obligation.due", "is not TOML"),
    # Links.
    "link to nowhere": (_S, '["order"]', '["ordre"]', "stays", "stays.0", "did you mean 'order'"),
    "second link to nowhere": (
        _R, '["question", "letter"]', '["question", "lettre"]', "answers", "answers.1", "did you mean 'letter'"),
    "link to itself": (_K, '["denial"]', '["back"]', "retracts", "retracts.0", "this entry itself"),
    "link twice": (_K, '["denial"]', '["denial", "denial"]', "retracts", "retracts.1", "stands twice"),
    "link by title": (_K, '["denial"]', '["The denial"]', "retracts", "retracts.0", "is no id"),
    "link to a file": (_K, '["denial"]', '["denial.toml"]', "retracts", "retracts.0", "is no id"),
    "retractions in a circle of two": (
        _D, "contradicts = [", 'retracts = ["back"]\ncontradicts = [', "retracts", "retracts", "go in a circle", 3),
    "stay of a denial": (
        _S, '["order"]', '["denial"]', "stays", "stays.0", "is of the kind denial; this leads to: order"),
    "stay of an appeal": (_S, '["order"]', '["question"]', "stays", "stays.0", "is of the kind question"),
    "appeal against a letter": (
        _A, '["order"]', '["vote"]', "appeals", "appeals.0", "leads to: contempt or order or stay"),
    "contempt of a question": (_N, '["order"]', '["vote"]', "contempt_of", "contempt_of.0", "this leads to: order"),
    "answer to a statement": (
        _R, '["question", "letter"]', '["denial"]', "answers", "answers.0", "leads to: letter or question"),
    "answer before its question": (
        _R, "date = 2025-04-20", "date = 2025-03-26", "answers", "answers.1", "after this entry"),
    "stay before its order": (_S, "date = 2025-03-21", "date = 2025-03-19", "stays", "stays.0", "is a date wrong?"),
    "appeal before its order": (
        _A, "date = 2025-03-22", "date = 2025-03-02", "appeals", "appeals.0", "after this entry"),
    "contempt before its order": (
        _N, "date = 2025-03-25", "date = 2025-03-05", "contempt_of", "contempt_of.0", "after this entry"),
    "retraction before what it retracts": (
        _K, "date = 2025-04-23", "date = 2025-03-03", "retracts", "retracts.0", "after this entry"),
    # What stands in the wrong kind of entry.
    "obligation of a filing": (
        _O, 'kind = "order"', 'kind = "filing"', "[obligation]", "obligation", "stands only in an order", 4),
    "obligation of a denial": (
        _D, "[proposition]",
        '[obligation]\nservice = "chirp"\nplace = "ZZ"\nstate = "ok"\ndue = 2025-03-22\n\n[proposition]',
        "[obligation]", "obligation", "this entry's kind is denial"),
    "stays in an order": (_O, "\n[[source]]", 'stays = ["vote"]\n[[source]]', "stays", "stays", "only in a stay", 2),
    "time of a stay in an appeal": (
        _S, 'kind = "stay"', 'kind = "filing"', "[stay]", "stay", "stands only in a stay", 2),
    "appeals in a filing": (_A, 'kind = "appeal"', 'kind = "filing"', "appeals", "appeals", "only in an appeal"),
    "contempt in a hearing": (
        _N, 'kind = "contempt"', 'kind = "hearing"', "contempt_of", "contempt_of", "only in a contempt"),
    "answers in a denial": (
        _D, "contradicts = [", 'answers = ["vote"]\ncontradicts = [', "answers", "answers", "an answer or a letter", 2),
    "signatories of an order": (
        _O, "\n[[source]]", 'signatories = ["A"]\n[[source]]', "signatories", "signatories",
        "a civil-society or a letter"),
    "event of a letter": (_V, 'kind = "event"', 'kind = "letter"', "event =", "event", "stands only in an event"),
    "reply to a statement": (
        _Q, 'kind = "question"', 'kind = "statement"', "[reply]", "reply", "a letter or a question", 3),
    # Addresses, paths, digests.
    "script for an address": (
        _D, _ADDRESS, '"javascript:alert(1)"', "javascript", "source.0.address", "begins with https"),
    "data for an address": (_D, _ADDRESS, '"data:text/html,hi"', "data:", "source.0.address", "begins with https"),
    "file for an address": (_D, _ADDRESS, '"file:///etc/passwd"', "file:", "source.0.address", "begins with https"),
    "address without a scheme": (
        _D, _ADDRESS, '"news.example/denial"', '"news', "source.0.address", "https:// or http://"),
    "address with a space": (_D, _ADDRESS, '"https://news.example/a b"', "/a b", "source.0.address", "%20"),
    "address without a host": (_D, _ADDRESS, '"https:///denial"', "https:///", "source.0.address", "a web address"),
    "address with a password": (
        _D, _ADDRESS, '"https://me:secret@news.example/"', "secret", "source.0.address", "a password before the @"),
    "address whose host looks like another": (
        _D, _ADDRESS, '"https://nеws.example/"', "/nеws", "source.0.address", "its xn-- form"),
    "address that breaks the parser": (_D, _ADDRESS, '"https://[::1/"', "[::1", "source.0.address", "a web address"),
    "markup in an address": (_D, _ADDRESS, '"https://news.example/<b>"', "<b>", "source.0.address", "HTML"),
    "archived copy outside": (_D, _ARCHIVED, '"../page.txt"', "archived", "source.0.archived", "without . or .."),
    "archived copy in the middle outside": (
        _D, _ARCHIVED, '"sources/../../page.txt"', "archived", "source.0.archived", "inside the case folder"),
    "absolute path": (_D, _ARCHIVED, '"/etc/passwd"', "archived", "source.0.archived", "a path inside the case"),
    "path of Windows": (_D, _ARCHIVED, "'sources\\page.txt'", "archived", "source.0.archived", "parts joined by /"),
    "path with a drive": (_D, _ARCHIVED, '"C:/page.txt"', "archived", "source.0.archived", "inside the case folder"),
    "path of the home": (_D, _ARCHIVED, '"~/page.txt"', "archived", "source.0.archived", "inside the case folder"),
    "archived copy that is not there": (
        _D, _ARCHIVED, '"sources/pagee.txt"', "archived", "source.0.archived", "did you mean 'sources/page.txt'"),
    "folder for a copy": (_D, _ARCHIVED, '"sources"', "archived", "source.0.archived", "not a folder"),
    "digest in capitals": (
        _D, hashlib.sha256(PAGE.encode()).hexdigest(), hashlib.sha256(PAGE.encode()).hexdigest().upper(), "sha256",
        "source.0.sha256", "in small letters"),
    "digest too short": (
        _D, hashlib.sha256(PAGE.encode()).hexdigest(), "abc123", "sha256", "source.0.sha256", "64 digits"),
    "digest of something else": (
        _D, hashlib.sha256(PAGE.encode()).hexdigest(), "0" * 64, "sha256", "source.0.sha256", "was the copy changed?"),
    "list of signatories that is not there": (
        _J, '"sources/names.csv"', '"sources/name.csv"', "signatories_file", "signatories_file", "names.csv'"),
    # What hides, turns or acts.
    "text that turns": (_O, "Of order", "Of \u202eredro", "title", "title", "U+202E, which turns"),
    "isolate in a summary": (_O, "What was said", "What \u2066was said", "summary", "summary", "U+2066"),
    "mark of direction in a name": (_C, "Free Zed", "Free\u200f Zed", "Free", "actor.2.name", "U+200F"),
    "space of no width": (_O, "Of order", "Of or\u200bder", "title", "title", "invisible character U+200B"),
    "soft hyphen": (_D, "Radio Zed", "Ra\u00addio Zed", "Ra\u00addio", "source.1.publisher", "U+00AD"),
    "byte order mark in a text": (_O, "Of order", "\ufeffOf order", "title", "title", "U+FEFF"),
    "hidden tag letters": (_O, "Of order", "Of order\U000e0041", "title", "title", "U+E0041"),
    "escape for a terminal": (_O, "Of order", "Of \\u001b[31morder", "title", "title", "U+001B"),
    "tab in a title": (_O, "Of order", "Of\\torder", "title", "title", "U+0009"),
    "separator of lines": (_O, "Of order", "Of\u2028order", "title", "title", "U+2028"),
    "text turned in a quote": (_D, "سروس بند", "سروس \u202dبند", "quote", "source.0.quote", "U+202D"),
    "text turned in a list": (_C, "The letter itself", "The \u202eletter", "letter", "limits.1", "U+202E"),
    "Cyrillic letter in an id": (_V, 'id = "vote"', 'id = "vоte"', "id =", "id", "CYRILLIC SMALL LETTER O"),
    "Greek letter in a link": (_K, '["denial"]', '["deniαl"]', "retracts", "retracts.0", "GREEK SMALL LETTER ALPHA"),
    "full-width id": (_V, 'id = "vote"', 'id = "ｖote"', "id =", "id", "FULLWIDTH LATIN SMALL LETTER V"),
    "Cyrillic letter in a kind": (_V, 'kind = "event"', 'kind = "evеnt"', "kind", "kind", "did you mean 'event'"),
    "digits of another script in an id": (_V, 'id = "vote"', 'id = "vote-٤"', "id =", "id", "ARABIC-INDIC DIGIT FOUR"),
    "script in a title": (_O, "Of order", "Of <script>alert(1)</script>", "title", "title", "the record is plain text"),
    "image in a summary": (_O, "What was said", "<img src=x onerror=alert(1)>", "summary", "summary", "is HTML"),
    "open element in a note": (_D, "Two papers", "<svg onload=alert(1) Two", "notes", "notes", "is HTML"),
    "link in a limit": (
        _C, "One network", "<a href='https://e.example'>One</a> network", "One</a>", "limits.0", "HTML"),
    "comment of HTML in a quote": (_D, "سروس بند", "<!-- x --> بند", "quote", "source.0.quote", "is HTML"),
    "title of two lines": (_O, '"Of order"', '"Of\\norder"', "title", "title", "must stand on one line"),
    "title of blanks": (_O, '"Of order"', '"   "', "title", "title", "is empty"),
    "empty note": (_V, "\n[[source]]", 'notes = ""\n[[source]]', "notes", "notes", "leave the key out"),
    "title without end": (_O, "Of order", "O" * 501, "title", "title", "has 501 characters; 500 are allowed"),
    "quote of a whole article": (_D, "سروس بند نہیں ہے", "س" * 2_001, "quote", "source.0.quote", "2000 are allowed"),
    "summary of a whole book": (_O, "What was said", "x" * 20_001, "summary", "summary", "20000 are allowed"),
    # What is not TOML.
    "quote not closed": (_O, '"Of order"', '"Of order', "title", "title", "the text is not closed on its line"),
    "no quotes": (_O, '"Of order"', "Of order", "title", "title", "put texts in quotes"),
    "curly quotes": (_O, '"Of order"', f"{_CURLY_OPEN}Of order{_CURLY_CLOSE}", "title", "title", "straight quotes"),
    "colon for equals": (_O, "title =", "title:", "title:", "title", "is the = missing"),
    "no value": (_O, '"Of order"', "", "title", "title", "a value is missing after the ="),
    "key twice": (_O, "title =", 'title = "x"\ntitle =', "Of order", "title", "the key is set twice"),
    "table twice": (
        _D, "[proposition]", "[proposition]\n[proposition]", "[proposition]#2", "proposition", "opened twice"),
    "list not closed": (
        _D, '["order", "letter"]', '["order", "letter"', "contradicts", "contradicts",
        "begins here is not closed with ]"),
    "bracket not closed": (_O, "[[source]]", "[[source]", "[[source]", "", "does not close it"),
    "yes for true": (_C, "simulated = true", "simulated = yes", "simulated", "simulated", "true or false, in small"),
    "true in capitals": (_C, "simulated = true", "simulated = True", "simulated", "simulated", "in small letters"),
    "backslash in a text": (_O, "Of order", "Of C:\\order", "title", "title", "a backslash has a meaning"),
    "two on a line": (_O, '"Of order"', '"Of order" notes = "x"', "title", "title", "more stands on the line"),
    "comment of another language": (_O, "title =", "// a title\ntitle =", "// a", "", "a comment begins with #"),
    "escape of no character": (_O, "Of order", "Of \\ud800 order", "title", "title", "names no character"),
    "half an escape": (_O, "Of order", "Of \\u12", "title", "title", "four digits"),
    "number without end": (_O, '"Of order"', "9" * 5_000, "title", "title", "far too long"),
    "text of several lines not closed": (
        _D, 'a day later."""', "a day later.", "notes =", "notes", "a text that begins here is not closed"),
    "nested beyond reason": (_O, '"Of order"', "[" * 50 + "]" * 50, "title", "", "nested more than 8 deep"),
    "dotted beyond reason": (_O, "title =", "a.b.c.d.e.f.g.h.i = 1\ntitle =", "a.b.c", "", "nested more than 8 deep"),
    # Lists of signatories.
    "list without the column": (_CSV, "place,name", "place,names", "names", "name", "is 'names' meant?"),
    "name that turns": (_CSV, "Union of", "Union\u202e of", "Union", "name", "U+202E"),
    "script for a name": (_CSV, "Union of Clerks", "<script>x</script>", "<script>", "name", "HTML"),
    "line without a name": (_CSV, "Zedtown,Union of Clerks", "Zedville,", "Zedville", "name", "is empty"),
    "quote not closed in a list": (_CSV, "Zedtown,Union of", 'Zedville,"Union of', "Zedville", "name", "is no CSV"),
}  # fmt: skip

_WHOLE: dict[str, Broken] = {
    "byte order mark": Broken(_bytes(_D, b"\xef\xbb\xbf" + DENIAL.encode()), _D, 'id = "denial"', "", "without BOM"),
    "UTF-16": Broken(_bytes(_D, DENIAL.encode("utf-16")), _D, "", "", "is UTF-16"),
    "Latin-1": Broken(_bytes(_V, FILES[_V].replace("Of", "Où").encode("latin-1")), _V, "title", "", "is not UTF-8"),
    "NUL": Broken(_bytes(_V, FILES[_V].replace("Of", "O\0f").encode()), _V, "title", "", "NUL byte"),
    "control character": Broken(
        _bytes(_V, FILES[_V].replace("Of", "O\x07f").encode()), _V, "title", "title", "a control character"
    ),
    "line ends of old Macs": Broken(
        _bytes(_V, FILES[_V].replace("\n", "\r").encode()), _V, "", "id", "those of old Macs"
    ),
    "empty file": Broken(_bytes("entries/empty.toml", b""), "entries/empty.toml", "", "source", "is missing", 7),
    "huge file": Broken(_bytes(_V, b"#" * (1 << 20) + b"\n"), _V, "", "", "at most 1 MiB"),
    "huge case.toml": Broken(_bytes(_C, b"#" * (1 << 20) + b"\n"), _C, "", "", "at most 1 MiB"),
    "entry that is a link": Broken(_link(_V, "denial.toml"), _V, "", "", "not a link"),
    "entry that is a link to nowhere": Broken(_link(_V, "gone.toml"), _V, "", "", "not a link"),
    "entry that is a pipe": Broken(_pipe, _D, "", "", "nothing else"),
    "entry that is a folder": Broken(
        lambda folder: (folder / "entries/more.toml").mkdir(), "entries/more.toml", "", "", "must be a file"
    ),
    "entries that are a link": Broken(_entries_elsewhere, "entries", "", "", "must be a folder, not a link"),
    "copy that is a link": Broken(
        _link("sources/page.txt", "/etc/hostname"), _D, "archived", "source.0.archived", "not a link"
    ),
    "copy that was changed": Broken(
        _bytes("sources/page.txt", b"something else"), _D, "sha256", "source.0.sha256", "does not fit"
    ),
    "no entries": Broken(_no_entries, "entries", "", "", "has no entry"),
    "no case.toml": Broken(lambda folder: (folder / "case.toml").unlink(), _C, "", "", "is missing"),
    "id twice": Broken(
        _bytes("entries/zz.toml", FILES[_V].encode()), "entries/zz.toml", "id =", "id", "the id of entries/vote.toml"
    ),
    "entry that is no TOML by name": Broken(
        _bytes("entries/vote2.tml", b"x"), "entries/vote2.tml", "", "", "an entry is a file *.toml"
    ),
    "actor twice": Broken(
        _bytes(_C, (CASE + '\n[[actor]]\nid = "court"\nname = "Again"\nrole = "court"\n').encode()),
        _C, 'id = "court"#2', "actor.3.id", "stands twice",
    ),
    "file whose name turns": Broken(
        _bytes("entries/a\u202elmot.toml", b"x"), "entries/'a\\u202elmot.toml'", "", "", "its name holds"
    ),
    "answers in a circle": Broken(
        _bytes("entries/letter2.toml", entry(
            "letter2", "2025-03-27", "society", 'answers = ["letter3"]', kind="letter").encode()),
        "entries/letter2.toml", "answers =", "answers.0", "there is no entry 'letter3'",
    ),
}  # fmt: skip


def _three_retractions(folder: Path) -> None:
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        text = entry(name, "2025-05-01", "regulator", f'retracts = ["{other}"]', kind="statement")
        (folder / f"entries/{name}.toml").write_text(text)


def _two_letters(folder: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        text = entry(name, "2025-05-01", "society", f'answers = ["{other}"]', kind="letter")
        (folder / f"entries/{name}.toml").write_text(text)


def _two_stays(folder: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        text = entry(name, "2025-05-01", "court", f'stays = ["{other}"]', kind="stay")
        (folder / f"entries/{name}.toml").write_text(text)


def _two_appeals(folder: Path) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        text = entry(name, "2025-05-01", "court", f'appeals = ["{other}"]', kind="appeal")
        (folder / f"entries/{name}.toml").write_text(text)


_CIRCLES = {
    "retractions in a circle of three": Broken(
        _three_retractions, "entries/two.toml", "retracts", "retracts", "retractions go in a circle", 3
    ),
    "letters that answer each other": Broken(
        _two_letters, "entries/one.toml", "answers", "answers", "answers go in a circle", 2
    ),
    "stays of each other": Broken(_two_stays, "entries/two.toml", "stays", "stays", "stays go in a circle", 4),
    "appeals against each other": Broken(
        _two_appeals, "entries/one.toml", "appeals", "appeals", "appeals go in a circle", 4
    ),
}
BROKEN: dict[str, Broken] = {
    **{name: Broken(_swap(*row[:3]), row[0], *row[3:]) for name, row in _SWAPS.items()},
    **_WHOLE,
    **_CIRCLES,
}
