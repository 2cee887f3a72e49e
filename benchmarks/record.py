"""How long a large case takes: 500 entries and five years of incidents, read, assessed and built.

python benchmarks/record.py              # or with --entries, --years, --networks
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from kholo import __version__
from kholo.model import Bracket, DayState, Grade, Incident, NetworkSpell, State
from kholo.publish import CaseView, Site, Versions, build_site
from kholo.record import assess, checklist, clocks, load_case
from kholo.record.law import law_of

T = TypeVar("T")
FIRST = date(2020, 1, 1)
KINDS = ("statement", "denial", "admission", "finding", "order", "question", "filing", "letter")
ACTORS = {
    "pta": "regulator",
    "press": "press",
    "body": "measurement-body",
    "other": "measurement-body",
    "court": "court",
}


def main() -> None:
    """Make a case and its evidence, and take the time of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=500)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--networks", type=int, default=12)
    given = parser.parse_args()
    length = 365 * given.years
    names = tuple(f"AS{64500 + number}" for number in range(given.networks))
    found, rows = evidence(names, length)
    as_of = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(length)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "case", given.entries, length, names)
        total = run(Path(folder), found, rows, as_of)
    print(f"{given.entries} entries, {len(found)} incidents, {len(rows)} network-days: {total:.2f} s in all")


def run(folder: Path, found: list[Incident], rows: list[DayState], as_of: datetime) -> float:
    """The seconds that all steps took."""
    begun = time.perf_counter()
    case = timed("read and check", lambda: load_case(folder / "case", ("x",)))
    assessed = timed("assess", lambda: assess(case, found, rows, as_of))
    counted = timed("clocks", lambda: clocks(case, found, rows, as_of))
    checked = timed("three-part test", lambda: checklist(case, found, counted, as_of))
    view = CaseView(
        case=case, incidents=tuple(found), days=tuple(rows), assessments=assessed, clocks=counted, states={},
        measurements=1, rejects=0, network_names={}, as_of=as_of, versions=Versions(__version__, "", "", case.digest),
        checklist=checked, law=law_of("PK"),
    )  # fmt: skip
    timed("pages", lambda: build_site(Site([view]), folder / "site"))
    return time.perf_counter() - begun


def timed(what: str, step: Callable[[], T]) -> T:
    """Do a step and say how long it took."""
    begun = time.perf_counter()
    done = step()
    print(f"{time.perf_counter() - begun:6.2f} s  {what}")
    return done


def evidence(names: tuple[str, ...], length: int) -> tuple[list[Incident], list[DayState]]:
    """A block of some weeks every other month, on most networks, and a state for each network and day."""
    dice = random.Random(1)
    hit: set[tuple[str, int]] = set()
    found = []
    for begin in range(20, length - 60, 60):
        mine = tuple(sorted(dice.sample(names, max(1, len(names) * 2 // 3))))
        spells = []
        for name in mine:
            start, end = begin + dice.randrange(3), begin + 20 + dice.randrange(20)
            hit |= {(name, day) for day in range(start, end)}
            spells.append(NetworkSpell(name, State.BLOCKED, at(start), at(end), at(end).earliest, 20, 60))
        onset, over = min(one.onset for one in spells), max(one.end for one in spells if one.end)
        found.append(
            Incident(
                f"x-PK-{begin}", "x", "PK", mine, State.BLOCKED, ("tls.reset",), onset, over, over.latest, 20, 60,
                Grade.A, tuple(spells), False,
            )
        )  # fmt: skip
    rows = []
    for name in names:
        for day in range(length):
            state = State.BLOCKED if (name, day) in hit else dice.choice((State.OK, State.OK, State.INSUFFICIENT))
            ok, bad = (6, 0) if state is State.OK else (0, 6) if state is State.BLOCKED else (1, 0)
            rows.append(DayState("x", "PK", name, FIRST + timedelta(day), state, ok, bad, 0, 0, 0, ok + bad, False))
    return found, rows


def at(day: int) -> Bracket:
    """A moment known to six hours."""
    start = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(day)
    return Bracket(start, start + timedelta(hours=6))


def write(folder: Path, entries: int, length: int, names: tuple[str, ...]) -> None:
    """A case folder, as a newsroom would have it after five years."""
    dice = random.Random(2)
    (folder / "entries").mkdir(parents=True)
    actors = "".join(f'[[actor]]\nid = "{name}"\nname = "{name}"\nrole = "{role}"\n\n' for name, role in ACTORS.items())
    head = f'id = "big"\ntitle = "Big"\nservice = "x"\nplace = "PK"\nsummary = "Big."\nstart = {FIRST}\n\n{actors}'
    (folder / "case.toml").write_text(head)
    for number in range(entries):
        day, kind = dice.randrange(10, length - 100), KINDS[number % len(KINDS)]
        actor = {"finding": dice.choice(("body", "other", "press")), "order": "court"}.get(kind, "pta")
        (folder / "entries" / f"e{number}.toml").write_text(entry(number, kind, actor, day, names, dice))


def entry(number: int, kind: str, actor: str, day: int, names: tuple[str, ...], dice: random.Random) -> str:
    """One entry with what its kind has."""
    said = FIRST + timedelta(day)
    until = said + timedelta(dice.choice((1, 1, 7, 30, 90)))
    state = dice.choice(("ok", "blocked"))
    about = f'service = "x"\nplace = "PK"\nstate = "{state}"\n'
    where = f'networks = ["{dice.choice(names)}"]\n' if number % 5 == 0 else ""
    text = f'id = "e{number}"\nkind = "{kind}"\ndate = {said}\nactor = "{actor}"\ntitle = "Entry {number}"\n'
    text += f'summary = "{"What was said that day, and to whom. " * 8}"\n'
    text += f'\n[[source]]\naddress = "https://example.org/{number}"\npublisher = "Example"\nread = {until}\n'
    if kind == "order":
        return text + f'\n[obligation]\nservice = "x"\nplace = "PK"\nstate = "ok"\ndue = {said + timedelta(2)}\n{where}'
    if kind in ("question", "letter"):
        return text + f"\n[reply]\ndue = {said + timedelta(21)}\n"
    return text + f"\n[proposition]\n{about}from = {said}\nto = {until}\n{where}"


if __name__ == "__main__":
    main()
