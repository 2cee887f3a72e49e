"""Feeds and alerts: what each standard asks for stands in them, they follow from the facts, and no text does harm."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from kholo.alert import Feed
from kholo.alert.cap import cap_files as watch_cap
from kholo.alert.news import news
from kholo.alert.told import NewsKind, Past, Told, message
from kholo.model import Bracket, Grade, State
from kholo.publish import CaseView, Site
from kholo.publish.alerts import cap_files
from kholo.publish.build import site_files
from kholo.publish.cap import NAMESPACE, Message, Type, Words, cap
from kholo.publish.language import language
from kholo.publish.signposts import signposts

from . import alerts
from .material import END, full_view, incident
from .test_exports import hostile

LANGUAGES = [language("en"), language("ur")]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
#: The tables of section 3.2 of CAP 1.2: elements in their order, with how often they may stand there.
ALERT = (
    ("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1), ("msgType", 1, 1), ("source", 0, 1),
    ("scope", 1, 1), ("restriction", 0, 1), ("addresses", 0, 1), ("code", 0, 99), ("note", 0, 1), ("references", 0, 1),
    ("incidents", 0, 1), ("info", 0, 99),
)  # fmt: skip
INFO = (
    ("language", 0, 1), ("category", 1, 99), ("event", 1, 1), ("responseType", 0, 99), ("urgency", 1, 1),
    ("severity", 1, 1), ("certainty", 1, 1), ("audience", 0, 1), ("eventCode", 0, 99), ("effective", 0, 1),
    ("onset", 0, 1), ("expires", 0, 1), ("senderName", 0, 1), ("headline", 0, 1), ("description", 0, 1),
    ("instruction", 0, 1), ("web", 0, 1), ("contact", 0, 1), ("parameter", 0, 99), ("resource", 0, 99),
    ("area", 0, 99),
)  # fmt: skip
AREA = (("areaDesc", 1, 1), ("polygon", 0, 99), ("circle", 0, 99), ("geocode", 0, 99), ("altitude", 0, 1),
        ("ceiling", 0, 1))  # fmt: skip
NAMED = (("valueName", 1, 1), ("value", 1, 1))
INSIDE = {"alert": ALERT, "info": INFO, "area": AREA, "geocode": NAMED, "eventCode": NAMED, "parameter": NAMED}
VALUES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
    },
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}  # fmt: skip


def plain(tag: str) -> str:
    assert tag.startswith(f"{{{NAMESPACE}}}")
    return tag.removeprefix(f"{{{NAMESPACE}}}")


def check_structure(node: ET.Element) -> None:
    """Elements, their order and number, closed lists, times, and what must not stand in an id."""
    name = plain(node.tag)
    if name not in INSIDE:
        assert not list(node)
        assert (node.text or "").strip()
        assert name not in VALUES or node.text in VALUES[name]
        if name in {"sent", "onset", "expires", "effective"}:
            assert _TIME.fullmatch(node.text or "")
        if name in {"identifier", "sender"}:
            assert not re.search(r"[ ,<&]", node.text or "")
        return
    children = [plain(child.tag) for child in node]
    order = [tag for tag, _, _ in INSIDE[name]]
    assert children == sorted(children, key=order.index)
    for tag, least, most in INSIDE[name]:
        assert least <= children.count(tag) <= most, tag
    for child in node:
        check_structure(child)


def read(content: bytes) -> dict[str, str]:
    """An alert, after its structure was checked: the text of each element, that of the first `info` included."""
    root = ET.fromstring(content)
    check_structure(root)
    found = {plain(node.tag): node.text or "" for node in root}
    info = root.find(f"{{{NAMESPACE}}}info")
    assert info is not None
    return found | {plain(node.tag): node.text or "" for node in info}


def files(view: CaseView) -> dict[str, dict[str, str]]:
    return {name: read(content) for name, content in cap_files(view, LANGUAGES, None, "kholo").items()}


def with_one(**more: object) -> CaseView:
    view = full_view()
    changed = msgspec.structs.replace(view.incidents[0], **more)
    return msgspec.structs.replace(view, incidents=(changed,))


def test_an_incident_that_is_over_is_an_alert_and_an_update_that_names_it() -> None:
    first, now = (files(full_view())[f"chirp-pk-20250310{end}.xml"] for end in (".alert", ""))
    assert (first["msgType"], first["urgency"], now["msgType"], now["urgency"]) == (
        "Alert", "Immediate", "Update", "Past",
    )  # fmt: skip
    assert now["references"] == f"{first['sender']},{first['identifier']},{first['sent']}"
    assert now["incidents"] == first["incidents"] == "chirp-pk-20250310"
    assert now["expires"] == now["sent"]
    assert first["status"] == now["status"] == "Actual"
    assert first["identifier"] != now["identifier"]


def test_an_incident_that_goes_on_ends_by_itself_where_nobody_measures_any_more() -> None:
    now = files(with_one(end=None))["chirp-pk-20250310.xml"]
    assert (now["msgType"], now["urgency"]) == ("Update", "Immediate")
    assert now["expires"] == f"{END + timedelta(days=7):%Y-%m-%dT%H:%M:%S}-00:00"
    fresh = with_one(end=None, last_seen=incident(end=None).onset.latest)
    assert [one["msgType"] for one in files(fresh).values()] == ["Alert"]


@pytest.mark.parametrize(
    ("state", "grade", "severity", "certainty"),
    [
        (State.BLOCKED, Grade.A, "Moderate", "Observed"),
        (State.BLOCKED, Grade.B, "Moderate", "Likely"),
        (State.THROTTLED, Grade.B, "Minor", "Likely"),
    ],
)
def test_how_sure_and_how_bad_follow_from_grade_and_state(
    state: State, grade: Grade, severity: str, certainty: str
) -> None:
    for one in files(with_one(state=state, grade=grade)).values():
        assert (one["severity"], one["certainty"]) == (severity, certainty)


def test_invented_incidents_are_an_exercise() -> None:
    for one in files(full_view(simulated=True)).values():
        assert one["status"] == "Exercise"
        assert "SIMULATED" in one["note"]
        assert one["headline"].startswith("Simulated data")


def test_another_content_is_another_message_and_the_same_content_the_same() -> None:
    ids = {one["identifier"] for one in files(full_view()).values()}
    assert ids == {one["identifier"] for one in files(full_view()).values()}
    later = full_view().incidents[0].onset.latest + timedelta(hours=1)
    moved = with_one(onset=Bracket(later, later))
    assert not ids & {one["identifier"] for one in files(moved).values()}


def test_both_languages_and_the_country() -> None:
    content = next(iter(cap_files(full_view(), LANGUAGES, "https://example.org/en/incidents/", "kholo").values()))
    root = ET.fromstring(content)
    languages = [node.text for node in root.iter(f"{{{NAMESPACE}}}language")]
    assert languages == ["en", "ur"]
    assert {node.text for node in root.iter(f"{{{NAMESPACE}}}areaDesc")} == {"Pakistan", "پاکستان"}
    values = [node.text for node in root.iter(f"{{{NAMESPACE}}}value")]
    assert values.count("PK") == 2
    assert [node.text for node in root.iter(f"{{{NAMESPACE}}}web")] == [
        "https://example.org/en/incidents/chirp-pk-20250310/"
    ] * 2


def test_taking_back_says_that_it_was_none() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    words = (Words("en", "e", "h", "d", "Pakistan"),)
    told = Message(
        "t", Type.CANCEL, at, False, False, State.BLOCKED, Grade.A, "PK", at, at, words, before=("kholo,x,y",), name="n"
    )
    found = read(cap(told))
    assert (found["msgType"], found["certainty"], found["references"]) == ("Cancel", "Unlikely", "kholo,x,y")


def test_hostile_text_is_harmless_in_every_feed() -> None:
    view = hostile()
    made = dict(site_files(Site([view], address="https://example.org/")))
    feeds = {name: made[f"data/chirp-test/{name}"] for name in ("feed.atom", "feed.json")}
    messages = cap_files(view, LANGUAGES, None, "kholo")
    assert ET.fromstring(feeds["feed.atom"]).tag.endswith("feed")
    for content in messages.values():
        check_structure(ET.fromstring(content))
    for name, content in (feeds | messages).items():
        text = content.decode()
        for char in "\u202e\u0007\x00\u2028\r":
            assert char not in text, name
        assert "<script" not in text, name
        assert "<img" not in text, name


def test_json_feed_has_what_version_1_1_requires_and_tells_what_atom_tells() -> None:
    made = dict(site_files(Site([full_view()], address="https://example.org/")))
    feed = msgspec.json.decode(made["data/chirp-test/feed.json"])
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert feed["feed_url"] == "https://example.org/data/chirp-test/feed.json"
    assert feed["items"]
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_text"]
        assert datetime.fromisoformat(item["date_published"]).tzinfo
        assert item["url"].startswith("https://example.org/en/")
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
    atom = ET.fromstring(made["data/chirp-test/feed.atom"])
    ids = [node.text for node in atom.iter("{http://www.w3.org/2005/Atom}id")][1:]
    assert ids == [item["id"] for item in feed["items"]]


def test_a_feed_in_each_language_tells_the_same_and_its_pages_name_it() -> None:
    made = dict(site_files(Site([full_view(simulated=True)], address="https://example.org/")))
    feeds = {
        code: msgspec.json.decode(made[f"data/chirp-test/{name}"])
        for code, name in (("en", "feed.json"), ("ur", "feed.ur.json"))
    }
    assert [feed["language"] for feed in feeds.values()] == list(feeds)
    for one in ("date_published", "tags"):
        assert sorted(item[one] for item in feeds["en"]["items"]) == sorted(item[one] for item in feeds["ur"]["items"])
    every = {item["id"] for feed in feeds.values() for item in feed["items"]}
    assert len(every) == 2 * len(feeds["en"]["items"])
    assert all(item["url"].startswith("https://example.org/ur/") for item in feeds["ur"]["items"])
    assert ("description" in feeds["en"], "description" in feeds["ur"]) == (False, True), "nobody has read the Urdu"
    assert all(item["title"].startswith("فرضی: ") for item in feeds["ur"]["items"])
    atom = ET.fromstring(made["data/chirp-test/feed.ur.atom"])
    assert atom.get("{http://www.w3.org/XML/1998/namespace}lang") == "ur"
    for code, name in (("en", "feed"), ("ur", "feed.ur")):
        page = made[f"{code}/cases/chirp-test/index.html"].decode()
        for kind, ending in (("application/atom+xml", "atom"), ("application/feed+json", "json")):
            assert f'<link rel="alternate" type="{kind}" href="../../../data/chirp-test/{name}.{ending}"' in page


def test_every_link_of_a_feed_and_a_sitemap_is_that_of_a_page() -> None:
    base = "https://example.org/kholo"
    made = dict(site_files(Site([full_view()], address=f"{base}/")))
    feed = msgspec.json.decode(made["data/chirp-test/feed.json"])
    links = {item["url"].partition("#")[0] for item in feed["items"]}
    addresses = [node.text or "" for node in ET.fromstring(made["sitemap.xml"]).iter() if node.tag.endswith("loc")]
    assert len(addresses) == sum(name.endswith("/index.html") for name in made)
    for link in (*links, *addresses):
        assert f"{link.removeprefix(base + '/')}index.html" in made
    assert f"Sitemap: {base}/sitemap.xml" in made["robots.txt"].decode()
    assert "sitemap.xml" not in dict(site_files(Site([full_view()])))


def test_a_large_site_has_several_sitemaps() -> None:
    made = dict(signposts(Site([], address="https://example.org"), (f"en/{n}/" for n in range(50_001))))
    assert sorted(made) == ["robots.txt", "sitemap-0.xml", "sitemap-1.xml", "sitemap.xml"]
    assert made["sitemap.xml"].count(b"<loc>") == 2
    assert made["sitemap-0.xml"].count(b"<loc>") + made["sitemap-1.xml"].count(b"<loc>") == 50_001


def test_a_watch_alerts_updates_and_takes_back(tmp_path: Path) -> None:
    run = alerts.Run(tmp_path / "told", Feed(tmp_path / "feed", "all"))
    run.look(alerts.incident(20), at=21)
    run.look(alerts.incident(20, 22), at=23)
    run.look(at=24)
    found = [read(path.read_bytes()) for path in (tmp_path / "feed" / "cap").iterdir()]
    told = sorted(found, key=lambda one: one["sent"])
    assert [(one["msgType"], one["urgency"], one["certainty"]) for one in told] == [
        ("Alert", "Immediate", "Observed"), ("Update", "Past", "Observed"), ("Cancel", "Past", "Unlikely"),
    ]  # fmt: skip
    names = [f"{one['sender']},{one['identifier']},{one['sent']}" for one in told]
    assert [one.get("references", "").split() for one in told] == [[], names[:1], names[:2]]
    assert len({one["incidents"] for one in told}) == 1


def test_what_was_taken_back_is_never_an_alert_of_its_own() -> None:
    _, told = news(Told(), [alerts.incident(20)], alerts.day(21))
    found, _ = news(told, [], alerts.day(24))
    assert [one.kind for one in found] == [NewsKind.WITHDRAWN]
    past = Past(alerts.day(20), (message(tuple(found), alerts.day(24)),))
    assert list(watch_cap(past, "kholo")) == []
