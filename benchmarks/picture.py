"""The picture of docs/detector.md: reports by the hour, and the chance of "in a block" that follows from them.

python benchmarks/picture.py > docs/detector.svg
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.detector import series
from kholo.detect.segments import BASELINE
from kholo.detect.settings import DEFAULT
from kholo.detect.stretches import posteriors, stretches
from kholo.simulate.series import World, series_year

#: A simulated year with a broken probe before its block.
NUMBER = 0
WIDTH, HEIGHT, LEFT, TOP = 720, 200, 60, 40


def picture() -> str:
    """An SVG of forty days around the block of a simulated year."""
    year = series_year(World(), 4, NUMBER, eventful=True)
    one = series(year)
    (known,) = posteriors([one], [BASELINE], DEFAULT)
    (found,) = stretches([one], DEFAULT)[0]
    begin = found.onset[0] - 12
    end = begin + 40

    def x(day: float) -> float:
        return round(LEFT + (day - begin) / (end - begin) * (WIDTH - LEFT - 10), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif"'
        ' font-size="11"><title>Simulated: reports, the chance of a block, and the two brackets</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="14">Simulated. Above: reports that failed (red) and that got through (grey).</text>',
        f'<text x="{LEFT}" y="28">Below: the chance of being in a block. Shaded: where it began and ended.</text>',
        f'<text x="4" y="{TOP + 14}">failed</text><text x="4" y="{TOP + 40}">fine</text>',
        f'<text x="4" y="{TOP + 80}">chance 1</text><text x="4" y="{TOP + 140}">0</text>',
    ]
    for bracket in (found.onset, found.end):
        if bracket:
            left, wide = x(bracket[0]), max(x(bracket[1]) - x(bracket[0]), 1.0)
            parts.append(f'<rect x="{left}" y="{TOP}" width="{wide:.1f}" height="140" fill="#0072b2" opacity="0.2"/>')
    for day, failed in zip(year.at.tolist(), year.failed.tolist(), strict=True):
        if begin <= day <= end:
            row, colour = (TOP + 10, "#d55e00") if failed else (TOP + 36, "#666")
            parts.append(f'<circle cx="{x(day)}" cy="{row}" r="2" fill="{colour}"/>')
    line = " ".join(
        f"{x(day)},{TOP + 136 - 60 * chance:.1f}"
        for day, chance in zip(one.at.tolist(), known.blocked.tolist(), strict=True)
        if begin <= day <= end
    )
    parts.append(f'<polyline points="{line}" fill="none" stroke="#000"/></svg>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(picture(), end="")
