"""Facts of measurements that were not made on a user's own line: from outside, or by a device that somebody hosts.

Three sorts of rows, told by what is observed and not by the name of the archive:

- *trials* (engine `template`, `page`, `trial`): a name was sent to a server that has nothing to do with it. What came
  back is its usual answer, another page, or a failure. Controls are the same with names that nobody blocks.
- *answers* (layer `dns`): what a resolver gave, and what vouches for it: the control's answers, a certificate seen at
  an address, a page that was fetched from one (engine `fetched`).
- *pages and handshakes* of a hosted device: other rows of the layers `tls` and `http`.

Rows of the control with engine `archive` are what the archive itself says of a measurement.
"""

from __future__ import annotations

from kholo.model import Layer, Observation, Vantage

from . import gather
from .facts import BITS
from .gather import Unit
from .view import View

_TRIALS = frozenset({"template", "page", "trial"})
_KINDS = {"connection_reset": BITS["trial.reset"], "generic_timeout_error": BITS["trial.timeout"]}
_FOUND = {True: "blockpage", False: "filterpage"}
#: The version of a test that sends no control before the name.
_NO_CONTROL_BEFORE = "v1"
_SEVERAL = 2


def units(view: View, observations: list[Observation]) -> list[Unit]:
    """The one unit of a measurement that is no user's line."""
    facts = gather.common(view) | BITS[f"vantage.{view.measurement.vantage}"]
    trials = [row for row in observations if row.engine in _TRIALS]
    said = {row.failure for row in observations if row.engine == "archive" and row.vantage is Vantage.CONTROL}
    if trials:
        return [Unit(0, True, facts | _trials(view, trials, said))]
    return [Unit(0, True, facts | _answers(view, observations, said) | _steps(observations))]


# ---- a name sent to a server that has nothing to do with it ------------------------------------------------------


def _trials(view: View, rows: list[Observation], said: set[str | None]) -> int:
    places = [place for place, row in enumerate(rows) if row.vantage is Vantage.PROBE]
    facts = BITS["trial.encrypted"] if any(row.port == gather.TLS_PORT for row in rows) else 0
    facts |= _controls(view, rows, places, said)
    if not places:
        return facts
    kinds = [_trial(view, rows[place]) for place in places]
    if BITS["trial.matched"] in kinds:
        return facts | BITS["trial.matched"]
    facts |= BITS["trial.several"] if len(kinds) >= _SEVERAL else 0
    return facts | (kinds[0] | BITS["trial.alike"] if len(set(kinds)) == 1 else BITS["trial.mixed"])


def _trial(view: View, row: Observation) -> int:
    """What came back, as one fact."""
    if row.engine == "template":
        return BITS["trial.matched"]
    if row.engine == "page":
        # An encrypted page is the server's own, or of one that it trusts: no network can put it in.
        found = view.block_page(row) if row.port != gather.TLS_PORT else None
        return BITS[f"trial.{_FOUND[found.is_of_network]}" if found else "trial.page"]
    if row.layer is Layer.TCP:
        return BITS["trial.unsent"]
    # Over https a request that nobody answers comes after a handshake that went through: the name had passed.
    is_after = row.port == gather.TLS_PORT and row.layer is Layer.HTTP
    return BITS["trial.failed"] if is_after else _KINDS.get(row.failure or "", BITS["trial.failed"])


def _controls(view: View, rows: list[Observation], places: list[int], said: set[str | None]) -> int:
    """Whether names that nobody blocks went through, before the first trial and after the last."""
    controls = [(place, row) for place, row in enumerate(rows) if row.vantage is Vantage.CONTROL]
    first, last = (min(places), max(places)) if places else (len(rows), len(rows))
    before = [row.engine == "template" for place, row in controls if place < first]
    after = [row.engine == "template" for place, row in controls if place > last]
    between = len(controls) - len(before) - len(after)
    is_before = all(before) and (bool(before) or view.measurement.test_version == _NO_CONTROL_BEFORE)
    if "archive_controls_failed" in said or not is_before or between or not after or not after[-1]:
        return BITS["trial.control_failed"]
    if all(after) and "archive_stateful_block" not in said:
        return BITS["trial.controlled"]
    # Some networks shut out a sender for a while after a name that they block; so do firewalls of servers, in silence.
    failed = [row for place, row in controls if place > last and row.engine != "template"]
    alike = {_trial(view, row) for row in failed} == {_trial(view, rows[place]) for place in places}
    return BITS["trial.residual"] | (BITS["trial.controlled"] if alike else BITS["trial.control_failed"])


# ---- answers of resolvers ----------------------------------------------------------------------------------------


def _answers(view: View, rows: list[Observation], said: set[str | None]) -> int:
    mine = [row for row in rows if row.layer is Layer.DNS and row.vantage is Vantage.PROBE]
    if not mine:
        return 0
    given = {ip for row in mine for ip in row.answers}
    facts = BITS["answer.not_alive"] if "archive_not_alive" in said else 0
    facts |= BITS["answer.excluded"] if "archive_excluded" in said else 0
    if view.reference.services.of_host(view.measurement.hostname):
        facts |= BITS["answer.known_service"]
    facts |= _vouched(rows, mine, given)
    if not given:
        return facts | BITS["answer.failed"]
    facts |= BITS["answer.given"]
    if all(view.is_bogon(ip) for ip in given):
        facts |= BITS["answer.bogon"]
    match, place = view.fingerprints.match, view.measurement.place
    if any((found := match("dns", ip, place)) is not None and found.is_of_network for ip in given):
        facts |= BITS["answer.fingerprint"]
    for row in rows:
        if row.engine == "fetched" and row.ip in given and (page := view.block_page(row)) is not None:
            facts |= BITS[f"answer.{_FOUND[page.is_of_network]}"]
    return facts


def _vouched(rows: list[Observation], mine: list[Observation], given: set[str]) -> int:
    """What the control's answers and certificates say of the addresses."""
    controls = [
        row for row in rows if row.layer is Layer.DNS and row.vantage is Vantage.CONTROL and row.engine != "archive"
    ]
    addresses = {ip for row in controls for ip in row.answers}
    theirs = {asn for row in controls for asn in row.answer_networks} - {0}
    networks = {asn for row in mine for asn in row.answer_networks} - {0}
    facts = BITS["answer.control"] if controls else 0
    # Addresses that were taken out are all written alike.
    known = {ip for ip in given if "scrubbed" not in ip}
    if known & addresses:
        facts |= BITS["answer.same_address"]
    if any(row.layer is Layer.TLS and row.proven and row.ip in known for row in rows):
        facts |= BITS["answer.proven"]
    return facts | (BITS["answer.same_network"] if networks & theirs else 0)


# ---- handshakes and pages of hosted devices ----------------------------------------------------------------------


def _steps(rows: list[Observation]) -> int:
    mine = [
        row
        for row in rows
        if row.vantage is Vantage.PROBE and row.layer is not Layer.DNS and row.engine not in ("fetched", "archive")
    ]
    facts = 0
    for row in mine:
        if row.layer in (Layer.TLS, Layer.QUIC) and row.proven:
            facts |= BITS["page.proven"]
        elif row.layer is Layer.HTTP and row.failure is None and 200 <= row.status < 300:
            facts |= BITS["page.answered"]
        elif row.failure:
            facts |= BITS["step.failed"]
    return facts
