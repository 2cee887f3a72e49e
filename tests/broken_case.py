"""A case with one entry of many kinds and nothing wrong in it: what `tests/broken.py` breaks."""

from __future__ import annotations

import hashlib
from pathlib import Path

PAGE = "The authority said on Wednesday that Chirp works.\n"
CASE = """\
id = "chirp-2025"
title = "Chirp in Zedland, 2025"
service = "chirp"
place = "ZZ"
summary = "What was said of Chirp, and what was measured."
start = 2025-03-01
end = 2025-06-30
simulated = true
limits = [
  "One network was never measured.",
  "The letter itself was not seen.",
]

[[actor]]
id = "court"
name = "High Court of Zedland"
role = "court"

[[actor]]
id = "regulator"
name = "Zedland Communications Authority"
role = "regulator"

[[actor]]
id = "society"
name = "Free Zed"
role = "civil-society"
"""
DENIAL = f"""\
id = "denial"
kind = "denial"
date = 2025-03-12
actor = "regulator"
title = "The authority says that Chirp works"
summary = "Asked by the press, the authority says that Chirp works everywhere."
notes = \"\"\"
Two papers have it on the same day.
A third one has it a day later.\"\"\"
contradicts = ["order", "letter"]

[[source]]
address = "https://news.example/denial"
publisher = "The Zed Times"
title = "Chirp works, says authority"
date = 2025-03-12
read = 2025-06-01
language = "ur"
quote = "سروس بند نہیں ہے"
translation = "The service is not shut."
archived = "sources/page.txt"
sha256 = "{hashlib.sha256(PAGE.encode()).hexdigest()}"

[[source]]
address = "https://radio.example/1"
publisher = "Radio Zed"
read = 2025-06-02

[proposition]
service = "chirp"
place = "ZZ"
state = "ok"
from = 2025-03-12
to = 2025-03-13
networks = ["AS64501", "AS64502"]
"""


def entry(name: str, day: str, actor: str, above: str = "", below: str = "", kind: str = "") -> str:
    lines = [
        f'id = "{name}"',
        f'kind = "{kind or name}"',
        f"date = {day}",
        f'actor = "{actor}"',
        f'title = "Of {name}"',
        f'summary = "What was said: {name}."',
        *([above] if above else []),
        "",
        "[[source]]",
        f'address = "https://news.example/{name}"',
        'publisher = "The Zed Times"',
        "read = 2025-06-01",
        *(["", below] if below else []),
    ]
    return "\n".join(lines) + "\n"


DUTY = '[obligation]\nservice = "chirp"\nplace = "ZZ"\nstate = "ok"\ndue = 2025-03-22T00:00:00Z\nuntil = 2025-05-01'
FILES = {
    "case.toml": CASE,
    "sources/page.txt": PAGE,
    "sources/names.csv": "place,name\nZedtown,Free Zed\nZedtown,Union of Clerks\n",
    "entries/denial.toml": DENIAL,
    "entries/order.toml": entry("order", "2025-03-20", "court", below=DUTY),
    "entries/stay.toml": entry(
        "stay", "2025-03-21", "court", 'stays = ["order"]', "[stay]\nfrom = 2025-03-21\nuntil = 2025-04-01"
    ),
    "entries/appeal.toml": entry("appeal", "2025-03-22", "regulator", 'appeals = ["order"]'),
    "entries/contempt.toml": entry("contempt", "2025-03-25", "court", 'contempt_of = ["order"]'),
    "entries/question.toml": entry(
        "question", "2025-03-26", "society", 'request = "information"', "[reply]\ndue = 2025-04-16"
    ),
    "entries/letter.toml": entry("letter", "2025-03-27", "society", 'signatories = ["Free Zed", "Union of Clerks"]'),
    "entries/answer.toml": entry("answer", "2025-04-20", "regulator", 'answers = ["question", "letter"]'),
    "entries/basis.toml": entry(
        "basis",
        "2025-04-21",
        "regulator",
        below='[[legal_basis]]\nstatute = "Order Act"\nsection = "7"\nsays = "May order."\nclaimed_by = "regulator"',
        kind="legal-basis",
    ),
    "entries/joint.toml": entry(
        "joint", "2025-04-22", "society", 'signatories_file = "sources/names.csv"', kind="civil-society"
    ),
    "entries/vote.toml": entry("vote", "2025-03-08", "court", 'event = "election"', kind="event"),
    "entries/back.toml": entry("back", "2025-04-23", "regulator", 'retracts = ["denial"]', kind="admission"),
}


def write(folder: Path) -> Path:
    """The case, with nothing wrong in it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
