"""Footnotes: each names the entries, incidents, inputs or laws behind a figure, and the command that shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kholo.model import EffectInput, Entry, Source
from kholo.publish import CaseView
from kholo.publish.dates import stamp
from kholo.publish.safe import visible
from kholo.record.law import Provision, Statute

from .document import Note, Run, Style, Text, is_arabic
from .language import Language

#: Stands where the person puts in where their store is: a paper tells no path of the machine it was made on.
STORE = "STORE"
#: Entries that a note names one by one; what more there are, its command shows.
MOST = 12


class Notes:
    """Collects the footnotes of one paper; the same evidence and command make the same note."""

    def __init__(self, view: CaseView, words: Language) -> None:
        self._view, self._words = view, words
        self._entries = {entry.id: entry for entry in view.case.entries}
        self._incidents = {item.incident_id for item in (*view.incidents, *view.others.taken_back)}
        self._found: dict[tuple[str, ...], Note] = {}

    @property
    def all(self) -> tuple[Note, ...]:
        """The notes in the order of their numbers."""
        return tuple(self._found.values())

    def entry(self, identifier: str) -> Text:
        """The mark of a note on one entry, with all its sources."""
        return self.evidence([identifier], f"kholo explain {identifier} {self._case(after='--case')}")

    def incident(self, identifier: str) -> Text:
        """The mark of a note on one incident."""
        return self.evidence([identifier], f"kholo explain {identifier} --store {STORE}")

    def assessment(self, identifier: str, evidence: Iterable[str]) -> Text:
        """The mark of a note on how an entry's claim was assessed."""
        command = f"kholo explain {identifier} {self._case(after='--case')}"
        return self.evidence([identifier, *(name for name in evidence if name != identifier)], command)

    def clock(self, identifier: str, evidence: Iterable[str]) -> Text:
        """The mark of a note on a clock."""
        names = [identifier, *(name for name in evidence if name != identifier)]
        return self.evidence(names, f"kholo clocks {self._case()}")

    def tally(self, identifiers: Sequence[str]) -> Text:
        """The mark of a note on a number of claims of one outcome."""
        return self.evidence(identifiers, f"kholo assess {self._case()}")

    def effect(self, inputs: Sequence[str], evidence: Iterable[str]) -> Text:
        """The mark of a note on an estimate: its inputs, with their sources, and the evidence of its hours."""
        given = self._view.effect.by_name if self._view.effect else {}
        texts = [self._input(given[name]) for name in inputs]
        entries, incidents = self._split(evidence)
        texts += [self._short(name) for name in (*entries, *incidents)]
        return self._note(f"kholo case effect {self._case()}", texts, entries, incidents, tuple(inputs))

    def _input(self, item: EffectInput) -> Text:
        words = self._words
        return words.say(
            "note.input",
            name=(Run(item.name, Style.CODE),),
            year=words.numerals(str(item.year)),
            low=words.number(item.range.low),
            high=words.number(item.range.high),
            central=words.number(item.range.central),
            unit=words.unit(item.unit),
            mark=words.say("note.assumption") if item.is_assumption else (),
            says=from_record(item.says),
            sources=self._sources(item.sources),
        )

    def law(self, name: str, address: str) -> Text:
        """The mark of a note on a statute, with where its text was read (empty: not known)."""
        shown = (Run(" "), Run(address, Style.ADDRESS)) if address else ()
        texts = [(_named(name), *shown)]
        return self._note("", texts, laws=(name,))

    def provision(self, law: Statute, one: Provision) -> Text:
        """A provision by the name of its law and its section, which stays on one line."""
        section = one.section.replace(". ", ".\u00a0")
        name = _named(law.name_in(self._words.language))
        if name.language:
            return (Run(f"{name.text}, {section}", language="en"),)
        return (name, Run(self._words.comma), Run(section, language="en"))

    def provisions(self, found: Sequence[tuple[Statute, Provision]]) -> Text:
        """The mark of a note on provisions of law."""
        text: Text = ()
        for law, one in found:
            text = (*text, *((Run(self._words.semicolon),) if text else ()), *self.provision(law, one))
        return self._note("", [text], laws=tuple(law.name_in(self._words.language) for law, _ in found))

    def page(self, path: str) -> Text:
        """The mark of a note on a page of our documentation."""
        return self._note("", [self._words.say("note.page", path=(Run(path, Style.CODE),))], pages=(path,))

    def checked(self, identifiers: Sequence[str]) -> Text:
        """The mark of a note on an answer of the three-part test."""
        return self.evidence(identifiers, f"kholo case test {self._case()}")

    def signatories(self) -> Text:
        """The mark of a note on the list of signatories."""
        command = f"kholo signatories check {self._case()} --lang {self._words.language} --list SIGNATORIES"
        return self.whole("note.signatories", command)

    def whole(self, key: str, command: str) -> Text:
        """The mark of a note on the case or the store as a whole, by a sentence of the language."""
        return self._note(command, [self._words.say(key)])

    def evidence(self, identifiers: Sequence[str], command: str) -> Text:
        """The mark of a note on entries and incidents: of a single entry all its sources, of several their titles."""
        entries, incidents = self._split(identifiers)
        if len(entries) == 1 and not incidents:
            texts = [self._full(self._entries[entries[0]])]
        else:
            names = [name for name in dict.fromkeys(identifiers) if name in {*entries, *incidents}]
            texts = [self._short(name) for name in names[:MOST]]
            if len(names) > MOST:
                texts.append(self._words.say("note.more", count=self._words.number(len(names) - MOST)))
        return self._note(command, texts, entries, incidents)

    def _note(
        self,
        command: str,
        texts: Sequence[Text],
        entries: tuple[str, ...] = (),
        incidents: tuple[str, ...] = (),
        inputs: tuple[str, ...] = (),
        laws: tuple[str, ...] = (),
        pages: tuple[str, ...] = (),
    ) -> Text:
        key = (command, *entries, *incidents, *inputs, *laws, "" if command else str(texts))
        if key not in self._found:
            text = tuple(run for part in texts for run in (*part, Run(" ")))
            shown = self._words.say("note.command", command=(Run(command, Style.CODE),)) if command else text[:0]
            text = (*text, *shown) if shown else text[:-1]
            number = len(self._found) + 1
            self._found[key] = Note(number, text, command, entries, incidents, inputs, laws, pages)
        return (Run(note=self._found[key].number),)

    def _split(self, identifiers: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        names = sorted(set(identifiers))
        return (
            tuple(name for name in names if name in self._entries),
            tuple(name for name in names if name in self._incidents),
        )

    def _full(self, entry: Entry) -> Text:
        name = (Run(entry.id, Style.CODE),)
        return self._words.say(
            "note.entry", id=name, title=from_record(entry.title), sources=self._sources(entry.sources)
        )

    def _short(self, identifier: str) -> Text:
        name = (Run(identifier, Style.CODE),)
        if identifier in self._incidents:
            return self._words.say("note.incident", id=name)
        return self._words.say("note.short", id=name, title=from_record(self._entries[identifier].title))

    def _sources(self, sources: Sequence[Source]) -> Text:
        texts = []
        for source in sources:
            read = self._words.say("note.read", day=self._words.day(source.read))
            line = visible(" ".join(source.address.split()))
            address = (Run(" "), Run(line, Style.ADDRESS)) if line else ()
            texts.append((*from_record(source.publisher), *address, Run(" "), *read))
        return tuple(
            run for place, text in enumerate(texts) for run in ((Run(self._words.semicolon),) if place else ()) + text
        )

    def _case(self, after: str = "") -> str:
        store = f" --store {STORE}" if self._view.measurements else ""
        flag = f"{after} " if after else ""
        return f"{flag}cases/{self._view.case.id}{store} --as-of {stamp(self._view.as_of)}"


def _named(name: str) -> Run:
    """The name of a law, which is in English where it has none in Urdu."""
    return Run(name, language="" if is_arabic(name) else "en")


def one_line(text: str) -> str:
    """A text of the record on one line; what is hidden in it is shown."""
    return visible(" ".join(text.split()))


def from_record(text: str, style: Style = Style.PLAIN) -> Text:
    """Text of the record on one line, in English where there is no translation; what is hidden in it is shown."""
    shown = one_line(text)
    return (Run(shown, style, "" if is_arabic(shown) else "en"),)
