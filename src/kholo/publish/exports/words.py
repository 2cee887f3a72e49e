"""What Datasette says of the tables of `sqlite.py` and their columns."""

from __future__ import annotations

TABLES = {
    "cases": "One row a case: what it asks, the answer, and by what it was computed.",
    "actors": "Who said, ordered or measured something.",
    "entries": "The record: what was said, ordered, asked and found, an entry a row. Searchable.",
    "sources": "Where each entry was read.",
    "legal_basis": "The provisions that an entry names.",
    "assessments": "Each claim set against the evidence. Undetermined does not mean false.",
    "clocks": "Days that an order was not obeyed, a question not answered, a claim not taken back.",
    "three_part_test": "The questions of the three-part test, and how each is answered.",
    "incidents": "Blocks as measured: one event in the world a row, with its bracketed dates.",
    "spells": "The parts of incidents by network.",
    "networks": "Networks by their share of users, where it is known, and whether the block was seen on them.",
    "speeds": "How fast the service came on a network, beside other services, over time.",
    "days": "A row a day, service and network. Insufficient: too little was measured, never that it worked.",
    "signals": "Outages of whole lines that archives tell of, whatever the service.",
    "verdicts": "What was decided of each measurement on a user's line, and by which rule.",
}

COLUMNS = {
    "case_id": "The case that the row is of.",
    "simulated": "1: invented, nothing of it happened.",
    "as_of": "The moment up to which everything was counted (UTC).",
    "answer": "The sentence at the top of the case's page.",
    "measurements": "Raw measurements and results of archives that were used.",
    "rejects": "Items of input that could not be used.",
    "ruleset": "Digest of the rules that decided.",
    "reference": "Digest of the reference data that was used.",
    "digest": "Digest of the case's files.",
    "place": "Country, ISO 3166-1 alpha-2.",
    "network": "Number of the autonomous system.",
    "networks": "Networks: their numbers, or how many they are.",
    "earliest": "First day (UTC) on which it may have been.",
    "latest": "Last day (UTC) on which it may have been.",
    "outcome": "supported, contradicted, or undetermined.",
    "grade": "A: recomputed from raw measurements. B: an archive's results. C: a published finding. D: press or users.",
    "because": "Why, in words.",
    "onset_earliest": "It began at this time (UTC) or later.",
    "onset_latest": "It began at this time (UTC) or before.",
    "end_earliest": "It ended at this time (UTC) or later; empty: no end was measured.",
    "end_latest": "It ended at this time (UTC) or before; empty: no end was measured.",
    "last_seen": "The last result (UTC) that showed it.",
    "reports": "Independent reports.",
    "results": "Single results.",
    "days": "Whole days.",
    "stayed": "Days that a stay took off the clock.",
    "state": "ok, down, blocked, throttled, or insufficient.",
    "measured_at": "When it was measured (UTC).",
    "measurement_uid": "The archive's id of the measurement: look it up there.",
    "mechanism": "How it was done.",
    "rule_id": "The rule that decided.",
    "drop": "Mean share lost, from 0 to 1.",
}

#: As Datasette names units.
UNITS = {"days": "day", "stayed": "day", "overdue": "day", "most": "day"}
