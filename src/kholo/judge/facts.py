"""The facts that rules are made of: each a bit, a name and words. Names are a public contract like rule ids."""

from __future__ import annotations

from kholo.model import ReferenceDataError

_WORDS: dict[str, str] = {
    # The measurement as a whole
    "measurement.empty": "the measurement holds nothing that was observed",
    "measurement.not_judged": "the test is one that is stored and counted but not judged yet",
    "measurement.damaged": "parts of the measurement could not be read and were left out",
    "measurement.conflict": "the archive holds two different contents under this measurement's id",
    "measurement.clock": "the probe's clock says it measured after the archive had received the result",
    "resolver.foreign": "the resolver is not of the network the probe was on",
    # Tests that have no control of their own
    "test.no_control": "the test has no control: it tries endpoints that are known to be the service's",
    "test.untrusted": "the version of the test is known to have given wrong results at the time",
    "test.custom": "the person running the probe set options of their own",
    "service.known": "the endpoints are those of a service that is known to be up",
    "service.dark": "of three or more endpoints of the service that were tried, none worked",
    "line.ok": "other steps of the same measurement worked: the probe's line was up",
    "test.passed": "the test says that what it tried works",
    "test.failed": "the test says that what it tried does not work, and no more",
    "ech.plain.ok": "a handshake without encrypted client hello (ECH) completed at the same address",
    "ech.ok": "a handshake with encrypted client hello (ECH) completed",
    "echo.same": "an echo server got odd requests just as they were sent",
    "echo.tampered": "an echo server got requests that were changed on the way",
    # The control
    "control.failed": "the control (test helper) could not do its own measurement",
    "control.dns.ok": "the control found public addresses for the name",
    "control.dns.none": "the control found no such name or no address for it",
    "control.dns.bogon": "the control, too, was given addresses that can't be public",
    "control.tcp.ok": "the control connected to an address that the probe could not reach",
    "control.tcp.failed": "the control could not connect to any of the addresses either",
    "control.tls.ok": "the control completed a valid handshake at an address where the probe's failed",
    "control.tls.failed": "the control's handshakes failed as the probe's did",
    "control.quic.ok": "the control completed a QUIC handshake at an address where the probe's failed",
    "control.http.ok": "the control got a page (status below 500)",
    "control.http.failed": "the control got no page, or a server error",
    # DNS
    "dns.asked": "the probe asked its system resolver",
    "dns.answered": "the system resolver gave addresses",
    "dns.nxdomain": "the system resolver said that the name does not exist",
    "dns.no_answer": "the system resolver gave no address",
    "dns.timeout": "the system resolver did not answer in time",
    "dns.refused": "the system resolver refused to answer",
    "dns.failed": "the system resolver failed in some other way",
    "dns.bogon": "all addresses given are ones that can't be public",
    "dns.fingerprint": "an address given is known to stand for a block page",
    "dns.proven": "a certificate valid for the name was served at an address given",
    "dns.disproven": "no address given serves the name, from the probe or from the control",
    "dns.like_control": "an address given is one the control got, or in a network of the control's addresses, as the"
    " measurement says or, where it does not, the table of networks of its day",
    "dns.in_probe_network": "an address given lies in the network the probe was on",
    "dns.encrypted.ok": "an encrypted lookup from the same probe found public addresses",
    "dns.encrypted.nxdomain": "an encrypted lookup from the same probe said that the name does not exist",
    "dns.others.ok": "the same resolver found other names of the service",
    "dns.duplicate": "a lookup at another network's resolver got two answers that have nothing in common",
    "dns.other_resolver.same": "an unencrypted lookup at another network's resolver gave the same",
    "dns.other_resolver.ok": "an unencrypted lookup at another network's resolver gave other addresses, or any at all",
    # TCP
    "tcp.ok": "a connection to an address of the service succeeded",
    "tcp.timeout": "every connection to the service's addresses timed out",
    "tcp.refused": "every connection to the service's addresses was refused",
    "tcp.reset": "every connection to the service's addresses was reset",
    "tcp.mixed": "connections to the service's addresses failed in different ways",
    "tcp.failed": "connections failed in a way that says nothing of its cause",
    "tcp.unreachable": "the probe's own line had no route to the addresses",
    "tcp.genuine": "the addresses tried are the service's own, as far as the control or a certificate shows",
    # TLS
    "tls.ok": "a handshake with the service's name completed and its certificate is valid",
    "tls.reset": "no handshake completed: reset after the name was sent",
    "tls.timeout": "no handshake completed: silence after the name was sent",
    "tls.eof": "no handshake completed: closed after the name was sent",
    "tls.unknown_authority": "the certificate served was not from an authority that browsers trust",
    "tls.wrong_name": "the certificate served was for another name",
    "tls.invalid": "the certificate served was expired or malformed",
    "tls.failed": "handshakes failed in some other way",
    "tls.unverified": "a handshake completed; its certificate was not checked",
    "tls.trickle": "bytes arrived so slowly that the handshake ran out of time, and nothing was reset",
    # QUIC
    "quic.ok": "a QUIC handshake with the service's name completed",
    "quic.timeout": "no QUIC handshake completed: silence",
    "quic.failed": "QUIC handshakes failed in some other way",
    # HTTP
    "http.answered": "a page was answered",
    "http.verified": "the page came over a connection whose certificate is valid for the name",
    "http.server_error": "the server answered with an error of its own (status 500 or above)",
    "http.reset": "the request was reset",
    "http.timeout": "the request timed out",
    "http.eof": "the connection was closed before an answer",
    "http.failed": "the request failed in some other way",
    "http.begun": "the answer had begun: its status and headers had arrived",
    "http.blockpage": "the page or its headers match a block page of a state or a provider",
    "http.filterpage": "the page matches a filter of an institution or a product",
    "http.denied": "an unencrypted page with status 200 has a title that denies access",
    "http.challenge": "the page is a CDN's challenge, asking whether a person is there",
    "http.like_control": "status, and title, length or headers are as the control saw them",
    "http.differs": "the unencrypted page is not as the control saw it",
    "http.bad_redirect": "the site redirects to an address that can't be one",
    "hop.redirected": "the step belongs to a redirect that the site itself gave",
    # Witnesses that are no user's line
    "vantage.remote": "it was measured from outside, through a server that stands in the network",
    "vantage.hosted": "it was measured by a device that somebody hosts for measuring",
    "trial.matched": "an answer to the name was the server's usual one",
    "trial.encrypted": "the name was sent in a TLS handshake",
    "trial.several": "the name was sent at least twice",
    "trial.alike": "each time the name was sent it failed in the same way",
    "trial.mixed": "the times that the name was sent failed in different ways",
    "trial.controlled": "names that nobody blocks got the server's usual answer, before and after",
    "trial.residual": "just after the name was sent other names failed too, and later they did not",
    "trial.control_failed": "names that nobody blocks did not get the server's usual answer either",
    "trial.reset": "the connection was reset after the name was sent",
    "trial.timeout": "silence followed after the name was sent",
    "trial.blockpage": "what came back unencrypted matches a block page of a state or a provider",
    "trial.filterpage": "what came back unencrypted matches a filter of an institution or a product",
    "trial.page": "another page than the server's usual one came back",
    "trial.unsent": "the connection failed before the name was sent, as far as can be told",
    "trial.failed": "it failed in a way that says nothing of its cause",
    "answer.given": "the resolver gave addresses",
    "answer.failed": "the resolver gave no address",
    "answer.not_alive": "the resolver did not answer for a name that nobody blocks, or was not reached",
    "answer.control": "control resolvers found addresses for the name",
    "answer.same_address": "an address is one that control resolvers gave too",
    "answer.proven": "at an address a certificate was seen that is valid for the name, or the same as at the control's",
    "answer.same_network": "an address is in a network of the control's addresses",
    "answer.bogon": "the addresses can't be those of a public name",
    "answer.fingerprint": "an address is known to serve a block page",
    "answer.blockpage": "a page fetched unencrypted from an address matches a block page of a state or a provider",
    "answer.filterpage": "a page fetched unencrypted from an address matches a filter of an institution or a product",
    "answer.excluded": "the archive itself leaves the answer out: addresses of a CDN, or too few names behind them",
    "answer.known_service": "the name is of a service that is known to have public addresses",
    "page.proven": "a handshake with the name completed and its certificate is valid",
    "page.answered": "a page was answered with status 200 to 299",
    "step.failed": "a step failed, and nothing shows whether that is the name's doing",
    # Results that an archive computed
    "archive.row": "only an archive's result is at hand, not the raw measurement",
    "archive.ok": "the archive scored every layer as fine",
    "archive.down": "the archive scored a layer as down",
    "archive.conflict": "the archive's scores speak against each other",
    "archive.dns": "the archive scored DNS as blocked",
    "archive.tcp": "the archive scored TCP as blocked",
    "archive.tls": "the archive scored TLS as blocked",
    "archive.confirmed": "the archive confirmed a block page",
    "archive.anomaly": "the archive marked an anomaly, which is no evidence by itself",
    "archive.failed": "the archive marked the measurement as failed",
}

#: The bit of each fact, by name.
BITS: dict[str, int] = {name: 1 << place for place, name in enumerate(_WORDS)}


def mask(names: tuple[str, ...], where: str) -> int:
    """The facts as one number. Raises `ReferenceDataError` naming one that does not exist."""
    bits = 0
    for name in names:
        if name not in BITS:
            raise ReferenceDataError(f"{where}: there is no fact {name!r}")
        bits |= BITS[name]
    return bits


def names(facts: int) -> tuple[str, ...]:
    """The names of the facts in `facts`, in the order of the table."""
    return tuple(name for name, bit in BITS.items() if facts & bit)


def words(name: str) -> str:
    """What a fact says, for a person."""
    return _WORDS[name]
