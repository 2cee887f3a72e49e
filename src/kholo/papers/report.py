"""The parts of a report for a court that no other paper has."""

from __future__ import annotations

from kholo.detect.fares import fares
from kholo.model import Checked, Incident
from kholo.publish import CaseView
from kholo.publish.answer import answer, case_incidents, standing_findings
from kholo.publish.pictures import printed
from kholo.publish.rows import case_page
from kholo.publish.safe import visible

from .document import Block, Grid, Items, Paragraph, Picture, Run, Style, Text
from .known import Parts
from .language import Language
from .notes import Notes, from_record

#: How to check a dossier without us: the sentence of each step, and its command. Run inside the unpacked folder, but
#: for the first two. `DOSSIER`, `NAME`, `KEY` and `ROOTS` stand for what the reader has.
STEPS: tuple[tuple[str, str], ...] = (
    ("verify.digest", "sha256sum DOSSIER"),
    ("verify.unpack", "unzip DOSSIER"),
    ("verify.files", "sha256sum --check manifest-sha256.txt tagmanifest-sha256.txt"),
    (
        "verify.signature",
        "ssh-keygen -Y verify -f allowed_signers -I NAME -n kholo-dossier -s seal/signatures/KEY.sig"
        " < seal/statement.txt",
    ),
    (
        "verify.time",
        "openssl ts -verify -in seal/timestamps/0001/response.tsr -data seal/timestamps/0001/covers.txt -CAfile ROOTS",
    ),
    ("verify.covers", "sha256sum --check seal/timestamps/0001/covers.txt"),
    ("verify.all", "kholo verify DOSSIER"),
)
_FORMAT = "docs/dossier-format.md"
_DETECTOR = "src/kholo/detect/report.md"
#: Fonts of drawings, by direction. Letters in a drawing are small and stand in rows: Naskh is made for that.
_FONTS = {
    "ltr": "Libertinus Serif, Noto Naskh Arabic",
    "rtl": "Noto Naskh Arabic, Noto Nastaliq Urdu, Libertinus Serif",
}


class Report:
    """The computed parts of a report. `root` is that of the dossier (hex; empty: not sealed yet)."""

    def __init__(self, view: CaseView, words: Language, notes: Notes, parts: Parts, root: str) -> None:
        self._view, self._words, self._notes, self._parts, self._root = view, words, notes, parts, root
        self._spoken = words.spoken

    def identity(self) -> list[Block]:
        """Which case, up to when, by which versions, and the root of the dossier that it belongs to."""
        words, view, versions = self._words, self._view, self._view.versions
        case = self._notes.whole("note.case", f"kholo case check cases/{view.case.id}")
        rows = [
            words.say(
                "identity.case", case=from_record(view.case.title), id=(Run(view.case.id, Style.CODE),), note=case
            ),
            words.say("identity.as_of", as_of=words.moment(view.as_of), note=case),
            words.say(
                "method.versions",
                kholo=(Run(versions.kholo, Style.CODE),),
                ruleset=(Run(versions.ruleset, Style.CODE),),
                reference=(Run(versions.reference, Style.CODE),),
                note=self._notes.whole("note.program", "kholo --version"),
            ),
            words.say("method.case", case=(Run(versions.case, Style.CODE),), note=case),
        ]
        page = self._notes.page(_FORMAT)
        root = (Run(f"sha256:{self._root}", Style.CODE),)
        rows.append(
            words.say("identity.root", root=root, note=page) if self._root else words.say("identity.no_root", note=page)
        )
        return [Items(tuple(rows))]

    def answer(self) -> list[Block]:
        """The answer as the page of the case gives it, with what belongs with it."""
        found = answer(self._view, self._spoken)
        names = [item.incident_id for item in case_incidents(self._view)]
        names += [entry.id for entry in standing_findings(self._view)]
        note = self._notes.tally(names) if names else self._notes.whole("note.case", self._check())
        blocks: list[Block] = [Paragraph((Run(visible(found.sentence), Style.STRONG), *note))]
        more = tuple((Run(visible(text)), *note) for text in found.more)
        return [*blocks, Items(more)] if more else blocks

    def _check(self) -> str:
        return f"kholo case check cases/{self._view.case.id}"

    def chart(self) -> list[Block]:
        """The timeline as a drawing, with what it shows in words."""
        words, case = self._words, self._view.case
        drawn = printed(case_page(self._view, self._spoken), self._spoken, _FONTS[words.direction])
        first, last = self._view.window
        note = self._notes.whole("note.case", self._check())
        said = words.say(
            "chart.alt",
            case=from_record(case.title),
            first=words.day(first),
            last=words.day(last),
            incidents=words.number(len(case_incidents(self._view))),
            findings=words.number(len(standing_findings(self._view))),
            entries=words.number(len(case.entries)),
        )
        alt = "".join(run.text for run in said)
        return [Picture(drawn.svg, drawn.width, drawn.height, alt, words.say("chart.caption", note=note))]

    def incidents(self) -> list[Block]:
        """Each measured incident: when it began and ended, where, how, and what it rests on."""
        rows = [self._incident(item) for item in case_incidents(self._view)]
        if not rows:
            return [Paragraph(self._words.say("incidents.none"))]
        heads = ("incidents.what", "incidents.when", "incidents.where", "incidents.how")
        return [Grid(tuple(self._words.say(head) for head in heads), tuple(rows), (4, 5, 4, 5))]

    def _incident(self, item: Incident) -> tuple[Text, ...]:
        words = self._words
        what = words.say(
            "incidents.row",
            state=(Run(words.word("state", item.state), Style.STRONG),),
            reports=words.count(item.reports, "report"),
            grade=item.grade.value,
            note=self._notes.incident(item.incident_id),
        )
        end = (
            words.say("incidents.ended", when=self._parts.bracket(item.end))
            if item.end
            else words.say("known.open", when=words.moment(item.last_seen))
        )
        when = words.say("incidents.bracket", onset=self._parts.bracket(item.onset), end=end)
        names = self._view.network_names
        where = words.listed(
            [(Run(f"{one} {visible(names.get(one, ''))}".strip(), language="en"),) for one in item.networks]
        )
        how = words.listed([(Run(words.mechanism(code)),) for code in item.mechanisms])
        return what, when, where, how

    def test(self) -> list[Block]:
        """The three-part test for the case as a whole."""
        rows = tuple(self._checked(row) for row in self._view.checklist if row.incident_id is None)
        return [Grid((self._words.say("test.question"), self._words.say("test.answer")), rows, (6, 9))]

    def _checked(self, row: Checked) -> tuple[Text, ...]:
        words, names = self._words, (*row.entries, *row.incidents)
        ask, rests_on = (self._parts.ours("three-part test", text) for text in (row.ask, row.rests_on))
        note = self._notes.checked(names)
        answered = (Run(words.word("answered", row.answer), Style.STRONG), Run(" "))
        people = (Run(" "), *words.say("test.by_people")) if row.by_people else ()
        says = from_record(row.says) if row.by_people else self._parts.told(row.told, row.says)
        return (*ask, Run(" ("), *rests_on, Run(")")), (*answered, *says, *people, *note)

    def limits(self) -> list[Block]:
        """What all this can't show, and how often the detector was wrong where the truth was known."""
        words, found = self._words, fares()
        wrong = words.say(
            "limits.wrong",
            false=words.number(found.false),
            quiet=words.number(1000),
            recall=words.number(found.recall),
            onset=words.number(found.onset),
            end=words.number(found.end),
            note=self._notes.page(_DETECTOR),
        )
        keys = ("limits.coverage", "limits.volunteers", "limits.who", "limits.intent", "limits.forged")
        return [Items((*(words.say(key) for key in keys), wrong))]

    def glossary(self) -> list[Block]:
        """The words that the report uses, and what they mean here."""
        rows = tuple(((Run(term, Style.STRONG),), (Run(meaning),)) for term, meaning in self._words.glossary.values())
        return [Grid((self._words.say("glossary.word"), self._words.say("glossary.meaning")), rows, (4, 11))]

    def verify(self) -> list[Block]:
        """How to check the dossier, step by step, with tools that are not ours."""
        note = self._notes.page(_FORMAT)
        return [Items(tuple(self._step(*step, note) for step in STEPS), is_numbered=True)]

    def _step(self, key: str, command: str, note: Text) -> Text:
        return self._words.say(key, command=(Run(command, Style.CODE),), note=note)
