"""Mail and webhook against real sockets on this machine: what fails is sent later, and nothing is sent twice."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from kholo.alert import (
    Mail,
    Webhook,
    server,
)
from kholo.model import UsageError

from .alerts import MANY, Hook, Post, Run, hook, incident, mail, said

# --- webhook ----------------------------------------------------------------------------------------------------


def test_a_webhook_gets_each_news_once(web: Hook, tmp_path: Path) -> None:
    run = Run(tmp_path, Webhook(web.url))
    run.look(incident(20))
    run.look(incident(20))
    run.look(incident(20, 28))
    first, second = (json.loads(sent) for sent in web.bodies)
    assert first["news"][0]["kind"] == "opened"
    assert second["news"][0]["kind"] == "ended"
    assert first["title"].startswith("X blocked in Pakistan on AS9260, since 21 February 2024 (UTC)")
    assert first["news"][0]["onset"] == {"earliest": "2024-02-21T00:00:00Z", "latest": "2024-02-21T06:00:00Z"}
    assert web.headers[0]["Content-Type"].startswith("application/json")
    assert web.headers[0]["Idempotency-Key"] in first["id"]


def test_a_webhook_that_fails_is_tried_again_and_then_left_for_the_next_run(web: Hook, tmp_path: Path) -> None:
    run = Run(tmp_path, Webhook(web.url))
    web.answers = [(500, {})]
    assert run.look(incident(20))[0].failure is None
    assert run.pauses == [1.0]
    web.answers = [(503, {})] * 3
    (failed,) = run.look(incident(20, 28))
    assert failed.failure == "answers 503"
    assert said(failed.unsent) == ["ended"]
    assert run.pauses == [1.0, 1.0, 4.0]
    (later,) = run.look(incident(20, 28))
    assert said(later.sent) == ["ended"]
    assert len(set(web.bodies[2:])) == 1, "a retry is the same message, byte for byte"


def test_retry_after_is_kept_to_and_a_long_one_is_left_for_the_next_run(web: Hook, tmp_path: Path) -> None:
    run = Run(tmp_path, Webhook(web.url))
    dates = {"Retry-After": "Wed, 21 Oct 2015 07:28:07 GMT"}
    web.answers = [(429, {"Retry-After": "7"}), (429, dates), (204, {})]
    assert run.look(incident(20))[0].failure is None
    assert run.pauses == [7.0, 4.0]
    web.answers = [(429, {"Retry-After": "3600"})]
    assert run.look(incident(20, 28))[0].failure == "answers 429"
    assert run.pauses == [7.0, 4.0]
    assert len(web.bodies) == 4


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_not_repeated_at_once_and_holds_up_nothing_else(web: Hook, tmp_path: Path, status: int) -> None:
    run = Run(tmp_path, Webhook(web.url))
    web.answers = [(status, {})]
    (outcome,) = run.look(*MANY)
    assert (len(outcome.sent), len(outcome.unsent), outcome.failure) == (2, 1, f"answers {status}")
    assert len(run.look(*MANY)[0].sent) == 1
    assert run.pauses == []


def test_a_redirect_is_not_followed(web: Hook, tmp_path: Path) -> None:
    with hook() as other:
        for status in (301, 302, 307, 308):
            web.answers = [(status, {"Location": other.url})]
            (outcome,) = Run(tmp_path / str(status), Webhook(web.url)).look(incident(20))
            assert outcome.failure is not None
            assert "redirects are not followed" in outcome.failure
        assert other.bodies == []


def test_a_webhook_that_hangs_or_is_not_there_costs_its_timeout_only(web: Hook, tmp_path: Path) -> None:
    web.hang = threading.Event()
    run = Run(tmp_path, Webhook(web.url, timeout=0.2))
    began = time.monotonic()
    assert "reached" in str(run.look(incident(20))[0].failure)
    assert time.monotonic() - began < 5
    assert len(web.bodies) == 3
    slow = Run(tmp_path / "slow", Webhook(web.url, timeout=30, deadline=0.2))
    assert slow.look(incident(20))[0].failure == "no answer within 0 s"
    gone = Run(tmp_path / "gone", Webhook("http://127.0.0.1:1/secret"))
    (outcome,) = gone.look(incident(20))
    assert "reached" in str(outcome.failure)
    assert "secret" not in f"{outcome.channel} {outcome.failure}"


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org",
        "file:///etc/passwd",
        "http://u:p@example.org/",
        "http://a b/",
        "x",
        "http://a\n/",
        "http://a/é",
    ],
)
def test_only_plain_web_addresses_are_taken(address: str) -> None:
    with pytest.raises(UsageError):
        Webhook(address)


# --- mail -------------------------------------------------------------------------------------------------------


def test_a_letter_is_plain_text_with_a_name_of_its_own(mails: Post, tmp_path: Path) -> None:
    run = Run(tmp_path, mail(mails))
    run.look(incident(20, simulated=True))
    run.look(incident(20, 28, simulated=True))
    first, second = (email.message_from_string(text, policy=email.policy.default) for text in mails.letters)
    assert str(first["Subject"]).startswith("Simulated: X blocked in Pakistan on AS9260, since 21 February 2024")
    assert str(second["Subject"]).startswith("Simulated: X no longer blocked")
    assert (first["To"], first["From"], first["Auto-Submitted"]) == (
        "desk@example.org",
        "kholo <kholo@example.net>",
        "auto-generated",
    )
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]
    assert first.get_content_type() == "text/plain"
    assert "grade A, recomputed from raw measurements" in first.get_content()


def test_each_address_is_a_channel_of_its_own(mails: Post, tmp_path: Path) -> None:
    mails.replies = {"RCPT": "550 nobody"}
    run = Run(tmp_path, mail(mails, "a@example.org"), mail(mails, "b@example.org"))
    assert [outcome.failure for outcome in run.look(incident(20))] == ["the server refuses the address (550)"] * 2
    mails.replies = {}
    assert [len(outcome.sent) for outcome in run.look(incident(20))] == [1, 1]
    assert [len(outcome.sent) for outcome in run.look(incident(20))] == [0, 0]
    assert all(text.count("@example.org") == 1 for text in mails.letters), "no reader sees who else is written to"


@pytest.mark.parametrize(("word", "is_soon"), [("MAIL", True), ("DATA", True), (".", True), ("RCPT", True)])
def test_a_letter_that_is_put_off_is_sent_later(mails: Post, tmp_path: Path, word: str, is_soon: bool) -> None:
    mails.replies = {word: "451 later"}
    run = Run(tmp_path, mail(mails))
    assert run.look(incident(20))[0].failure
    assert len(run.pauses) == 2
    mails.replies = {}
    assert said(run.look(incident(20))[0].sent) == ["opened"]


def test_a_letter_that_was_taken_is_sent_whatever_follows(mails: Post, tmp_path: Path) -> None:
    mails.replies = {"QUIT": "421 gone"}
    run = Run(tmp_path, mail(mails))
    assert run.look(incident(20))[0].failure is None
    run.look(incident(20))
    assert len(mails.letters) == 1


def test_no_password_goes_in_the_clear_or_is_shown(mails: Post, tmp_path: Path) -> None:
    mails.extensions = ("AUTH PLAIN",)
    mails.replies = {"AUTH": "535 hunter2 is wrong"}
    run = Run(tmp_path, mail(mails, user="me", password="hunter2"))
    failure = run.look(incident(20))[0].failure
    assert failure == "the server does not take the user name and password"
    assert "hunter2" not in repr(server("mail.example.org:25", "me", "hunter2"))
    assert "hunter2" not in "".join(path.read_text() for path in tmp_path.rglob("*"))


def test_elsewhere_than_on_this_machine_a_password_needs_tls(
    mails: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kholo.alert.mail._LOOPBACK", frozenset())
    run = Run(tmp_path, mail(mails, user="me", password="hunter2"))
    assert "no TLS" in str(run.look(incident(20))[0].failure)
    mails.extensions = ("AUTH PLAIN", "STARTTLS")
    mails.tls = certificate(tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in str(run.look(incident(20))[0].failure)
    assert not [line for line in mails.commands if line.startswith("AUTH")]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    mails.replies = {"AUTH": "235 welcome"}
    assert len(run.look(incident(20))[0].sent) == 1
    assert mails.commands.index("STARTTLS") < [line.split(" ")[0] for line in mails.commands].index("AUTH")


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine that nobody vouches for."""
    made = folder / "key.pem", folder / "cert.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate, and is not here")
    subprocess.run([*command, "-keyout", made[0], "-out", made[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[1], made[0])
    return context


@pytest.mark.parametrize(
    "given", ["a@b\nBcc: c@d", "a b@c", "@", "a@", "a@b>", "Name <a@b>", "a@b,c@d", "ä@example.org", "a@-b"]
)
def test_only_plain_mail_addresses_are_taken(given: str) -> None:
    with pytest.raises(UsageError):
        Mail(given, "kholo@example.net", server("localhost:25"))


@pytest.mark.parametrize("given", ["localhost", "localhost:", ":25", "a b:25", "h:0", "h:70000", "h:²5", "-h:25"])
def test_only_host_and_port_are_a_mail_server(given: str) -> None:
    with pytest.raises(UsageError):
        server(given)
