"""What is wrong with text that is not TOML, in the words of somebody who never heard of a parser."""

from __future__ import annotations

import re

from .text import shown

_PLACE = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)")
_CURLY = re.compile("[“”„‟«»‘’]")
_OLD_MAC = re.compile(r"\r.")
_DAY = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b")
#: More digits than Python turns into a number: its error tells no line.
_LONG = re.compile(r"(?<!\d)\d{4300}")
_OPEN = ("Unclosed", "Unterminated string", "Expected \"'''\"")
_BARE = re.compile(r"=\s*([^\s\"'\[{#][^#]*)")

#: What the parser says, and what to do.
_ADVICE = (
    ("Cannot overwrite a value", "the key is set twice; keep one of them"),
    ("Cannot declare", "the table is opened twice; a list of tables has two brackets: [[source]]"),
    ("Cannot mutate immutable", "the key adds to a list or table that is closed already; write it in one place"),
    ("Cannot redefine", "the name is used twice; keep one of them"),
    ("Duplicate inline table key", "the key is set twice between the braces; keep one of them"),
    ("Expected '='", "a line is `key = value`, a comment begins with #; is the = missing, or a quote?"),
    ("Expected ']", "the line opens a table with [ or [[ and does not close it with as many ]"),
    (
        "Expected newline or end of document",
        "more stands on the line after the value; one key a line, texts in quotes",
    ),
    ("Unclosed array", "a list that begins here is not closed with ], or a comma between its items is missing"),
    ("Unclosed inline table", "braces are not closed with }, or a comma is missing; a [table] of its own is clearer"),
    ("Illegal character '\\n'", 'the text is not closed on its line; end it with ", or use """ for several lines'),
    ("Unterminated string", 'a text that begins here is not closed; end it with ", or with """ where it began so'),
    ("Expected \"'''\"", "a text that begins with ''' is not closed with '''"),
    ('Expected "\'"', "a text that begins with ' is not closed with '"),
    (
        "Unescaped '\\' in a string",
        "a backslash has a meaning of its own; write \\\\ or put the text between 'single' quotes",
    ),
    ("Invalid hex value", "\\u needs four digits of 0-9a-f after it, \\U eight"),
    ("Escaped character is not", "the \\u escape names no character"),
    ("Illegal character", "the line holds a control character; take it out"),
    ("Found invalid character", "the line holds a control character; take it out"),
    ("Invalid initial character for a key part", "a key has letters, digits, - and _ only, and no quotes around it"),
    ("Invalid statement", "a line is `key = value` or [table]; a comment begins with #"),
    ("Invalid date or datetime", "there is no such day or time"),
    ("Exceeds the limit", "the number is far too long; should it be a text in quotes?"),
)


def advice(text: str, error: Exception) -> tuple[int, str, bool]:
    """The line (from 1) and what to say of text that the parser gave up on; and whether something was left open."""
    said = str(error)
    found = _PLACE.search(said)
    lines = text.split("\n")
    line = int(found[1]) if found and found[1] else len(text.rstrip("\n").split("\n"))
    if long := _LONG.search(text):
        line = text.count("\n", 0, long.start()) + 1
    written = lines[line - 1] if line <= len(lines) else ""
    words = _advice(said, written) or _PLACE.sub("", said)
    return line, f"is not TOML: {words}", any(start in said for start in _OPEN)


def _advice(said: str, line: str) -> str:
    if _OLD_MAC.search(line):
        return "its line ends are those of old Macs (CR); save it with the usual ones (LF)"
    if found := _CURLY.search(line):
        return f'the line holds {found[0]}; write texts between straight quotes, "like this"'
    if "Invalid date" in said and (found := _DAY.search(line)):
        return f"there is no day {found[0]}; is the month right?"
    if "Invalid value" in said or ("Expected newline" in said and not _is_quoted(line)):
        return _bare(line)
    return next((words for start, words in _ADVICE if start in said), "")


def _is_quoted(line: str) -> bool:
    return bool(re.search(r"=\s*[\"'\[{]", line))


def _bare(line: str) -> str:
    """Of a value without quotes."""
    found = _BARE.search(line)
    if found is None:
        return "a value is missing after the =; leave the key out if there is none"
    value = found[1].strip()
    if value.lower() in ("yes", "no", "true", "false", "on", "off"):
        return f"{shown(value)} is written true or false, in small letters and without quotes"
    if found := re.match(r"\d{4}-\d{2}-\d{2}\b", value):
        return f"there is no day {found[0]}; is the month right?"
    if day := _DAY.search(value):
        return f"{shown(value)} is no date; write it with four, two and two digits: 2024-02-07 (not {shown(day[0])})"
    return f"{shown(value)} is no value; put texts in quotes, write dates as 2024-02-17"
