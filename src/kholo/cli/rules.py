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
        f"Ruleset `{ruleset.digest}`, {len(ruleset.rules)} rules. A measurement is judged hop by hop: the address asked"
        " for, then each redirect.\nWithin a hop the rules are tried in this order and the first that holds decides;"
        " other mechanisms that hold too stand in `also`.\n"
        "The first hop at which somebody came between decides; if there is none, the last one does.\n\n"
        "An id is a public contract: a changed meaning is a new id. `unless` lists what must not be the case.\n\n"
    )
    return head + "\n".join(_section(rule) for rule in ruleset.rules)


def _section(rule: Rule) -> str:
    said = f"**{rule.state}**" + (f", `{rule.mechanism}`" if rule.mechanism else "")
    lines = [f"## `{rule.id}`", "", f"{said}; evidence: {rule.evidence}; layer: {rule.layer or 'none'}.", "", rule.why]
    parts = (("When all of", rule.when), ("When one of", rule.any), ("Unless", rule.unless))
    for heading, names in parts:
        if names:
            lines += ["", f"{heading}:", "", *(f"- {words(name)} (`{name}`)" for name in names)]
    if not any(names for _, names in parts):
        lines += ["", "Holds always."]
    if rule.example:
        lines += ["", f"Example: {rule.example}."]
    return "\n".join([*lines, ""])
