"""`kholo rules`: the rules that decide, as a table and as the page of the documentation."""

from __future__ import annotations

import click
import msgspec

from kholo.judge import Rule, Ruleset, load_ruleset, words

from . import output
from .options import json_option

_COLUMNS = {"id": "rule", "state": "state", "mechanism": "mechanism", "evidence": "evidence", "why": "why"}


@click.command(epilog="\b\nExamples:\n  kholo rules\n  kholo rules --markdown > docs/rules.md\n")
@click.option("--markdown", is_flag=True, help="The page docs/rules.md.")
@json_option
def rules(markdown: bool, as_json: bool) -> None:
    """List the rules in the order in which they are tried."""
    ruleset = load_ruleset()
    if as_json:
        output.json_rows(ruleset.rules)
    elif markdown:
        click.echo(page(ruleset), nl=False)
    else:
        output.table((msgspec.to_builtins(rule) for rule in ruleset.rules), _COLUMNS)


def page(ruleset: Ruleset) -> str:
    """The page of the documentation, made from the rules themselves."""
    head = (
        "# Rules\n\n"
        "<!-- Made from the rules: kholo rules --markdown > docs/rules.md -->\n\n"
        f"Ruleset `{ruleset.digest}`, {len(ruleset.rules)} rules, tried in this order: the first that holds decides;"
        " other mechanisms that hold too stand in `also`.\nA page is judged hop by hop: the address asked for, then"
        " each redirect. The first hop at which somebody came between decides; if there is none,\nthe last one does."
        " A test made for a service is judged part by part, and parts that a person can't do without come first.\n\n"
        "An id is a public contract: a changed meaning is a new id. Sources such as `ts-017` and `df-005` are documents"
        " of ooni/spec.\n\n"
    )
    table = ["| id | layer | condition | outcome | why | source | example |", "|---|---|---|---|---|---|---|"]
    return head + "\n".join([*table, *(_row(rule) for rule in ruleset.rules)]) + "\n"


def _row(rule: Rule) -> str:
    said = f"**{rule.state}**" + (f" `{rule.mechanism}`" if rule.mechanism else "") + f", {rule.evidence} evidence"
    cells = (f"`{rule.id}`", rule.layer or "", _condition(rule), said, rule.why, rule.source, rule.example)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _condition(rule: Rule) -> str:
    """The condition in words."""
    parts = [f"{words(name)} (`{name}`)" for name in rule.when]
    if rule.any:
        parts.append("one of: " + "; or ".join(f"{words(name)} (`{name}`)" for name in rule.any))
    if rule.unless:
        parts.append("not: " + "; nor ".join(f"{words(name)} (`{name}`)" for name in rule.unless))
    return "; and ".join(parts) or "always"
