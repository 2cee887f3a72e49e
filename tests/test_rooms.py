"""The plan of the house: a room knows of those below it, never of one above it, and so there are no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
HOUSE = SOURCE / "kholo"
#: From the ground up. A new room gets its place here.
FLOORS = (
    "model",
    "disk",
    "packed",
    "wording",
    "store",
    "fetch",
    "simulate",
    "reference",
    "sources",
    "observe",
    "judge",
    "detect",
    "record",
    "evidence",
    "publish",
    "papers",
    "alert",
    "pipeline",
    "serve",
    "cli",
)
#: What stands on the ground knows the words of the house, and how files are written, at most.
GROUND = {
    "model": set[str](),
    "disk": {"model"},
    "packed": set[str](),
    "wording": {"model"},
    "store": {"disk", "model"},
    "simulate": {"disk", "model"},
}

#: Who imports whom, with the places (file:line) where.
Arrows = dict[str, dict[str, list[str]]]


def imported(file: Path, package: str) -> Iterator[tuple[int, str]]:
    """Every name that a module imports, in full, with its line: also in a function, and for types alone.

    Types alone count too: who reads a module has to know of what it speaks of.
    """
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            whole = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((node.lineno, f"{whole}.{name.name}") for name in node.names)


def modules(house: Path) -> dict[str, Path]:
    """Every module by its name: `kholo.sources.ooni`, and `kholo.sources` for what stands in its `__init__.py`."""
    files = {file: file.relative_to(house.parent).with_suffix("").parts for file in sorted(house.rglob("*.py"))}
    return {".".join(part for part in parts if part != "__init__"): file for file, parts in files.items()}


def arrows(house: Path) -> Arrows:
    """The modules that each module of a package imports."""
    known = modules(house)
    found: Arrows = {}
    for module, file in known.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for line, name in imported(file, package):
            meant = name if name in known else name.rpartition(".")[0]
            if meant in known and meant != module:
                place = f"{file.relative_to(house.parent)}:{line}"
                found.setdefault(module, {}).setdefault(meant, []).append(place)
    return found


def between_rooms(known: Arrows) -> Arrows:
    """The same between rooms: the folders of the package. What stands above the rooms (the version) is none."""
    found: Arrows = {}
    for module, others in known.items():
        for other, places in others.items():
            room, meant = (f"{name}.".split(".")[1] for name in (module, other))
            if room and meant and room != meant:
                found.setdefault(room, {}).setdefault(meant, []).extend(places)
    return found


def circle(known: Arrows) -> list[str]:
    """One circle, an arrow a line, with a place where it is made; nothing where there is none."""
    try:
        TopologicalSorter({one: sorted(others) for one, others in known.items()}).prepare()
    except CycleError as error:
        # It comes from the imported to the importer.
        way = list(reversed(error.args[1]))
        return [f"{one} -> {other} ({known[one][other][0]})" for one, other in pairwise(way)]
    return []


@pytest.fixture(scope="module")
def drawn() -> Arrows:
    return arrows(HOUSE)


def test_no_room_knows_of_one_that_knows_of_it(drawn: Arrows) -> None:
    assert circle(between_rooms(drawn)) == []


def test_no_module_knows_of_one_that_knows_of_it(drawn: Arrows) -> None:
    assert circle(drawn) == []


def test_rooms_know_of_those_below_them_only(drawn: Arrows) -> None:
    rooms = between_rooms(drawn)
    assert {file.parent.name for file in HOUSE.glob("*/__init__.py")} == set(FLOORS), "each room has its floor"
    assert {"model", "publish", "pipeline"} <= rooms["cli"].keys(), "imports were found"
    up = {
        f"{room} -> {other}": places
        for room, others in rooms.items()
        for other, places in others.items()
        if FLOORS.index(other) > FLOORS.index(room)
    }
    assert up == {}


def test_the_ground_floor_knows_nothing_but_words(drawn: Arrows) -> None:
    rooms = between_rooms(drawn)
    assert {room: rooms.get(room, {}).keys() - may for room, may in GROUND.items()} == {room: set() for room in GROUND}


def test_modules_are_short() -> None:
    long = {name: lines for name, file in modules(HOUSE).items() if (lines := len(file.read_text().splitlines())) > 400}
    assert long == {}


@pytest.mark.parametrize(
    "way",
    [
        "from house.low import thing",
        "import house.low.thing",
        "from ..low import thing",
        "def made():\n    from house.low.thing import one",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.low.thing import One",
    ],
)
def test_a_circle_is_found_however_it_is_made(tmp_path: Path, way: str) -> None:
    for name, text in {
        "__init__": "",
        "low/__init__": "",
        "low/thing": "from house.middle import one",
        "middle/__init__": "from .one import it",
        "middle/one": "from house.high import it",
        "high/__init__": way,
    }.items():
        file = tmp_path / "house" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = circle(between_rooms(arrows(tmp_path / "house")))
    assert sorted(line.split(" (")[0] for line in found) == ["high -> low", "low -> middle", "middle -> high"]
    assert any(f"(house/high/__init__.py:{way.count(chr(10)) + 1})" in line for line in found)
