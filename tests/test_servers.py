"""The servers other tests rest on: they say what an archive says, and each fault is on the wire what it is called."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .servers import ALL, Answer, App, Bucket, Faults, Hit, Kind, Request, Running, serve

NAMES = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
BODY = gzip.compress(b"".join(b"%d\n" % number for number in range(4000)), mtime=0)
OBJECT = "/ooni-data-eu-fra/raw/a.jsonl.gz"


class Got:
    """A whole answer, read by the standard library."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()


def get(running: Running, target: str, method: str = "GET", timeout: float = 10, /, **headers: str) -> Got:
    """Ask on a connection of its own."""
    parts = urlsplit(running.url)
    with closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)) as connection:
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return Got(connection.getresponse())


def listing(running: Running, **query: str) -> ET.Element:
    answer = get(running, f"/ooni-data-eu-fra/?{urlencode({'list-type': 2} | query)}")
    assert answer.status == 200
    return ET.fromstring(answer.body)


def texts(page: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in page.iterfind(path, NAMES)]


def pages(running: Running, **query: str) -> Iterator[ET.Element]:
    while True:
        page = listing(running, **query)
        yield page
        token = texts(page, "s3:NextContinuationToken")
        assert texts(page, "s3:IsTruncated") == ["true" if token else "false"]
        if not token:
            return
        query["continuation-token"] = token[0]


KEYS = st.text(st.sampled_from("ab/ +&<\"'%é~"), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(KEYS, st.binary(max_size=5), max_size=12), st.data())
def test_the_pages_of_a_listing_join_to_exactly_the_objects(objects: dict[str, bytes], data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(["", *{key[:cut] for key in objects for cut in range(3)}]))
    after = data.draw(st.sampled_from(["", *objects]))
    query = {"prefix": prefix, "start-after": after, "encoding-type": "url"}
    with serve(Bucket(objects, page=data.draw(st.integers(1, 5)))) as running:
        found = [part for page in pages(running, **query) for part in page.iterfind("s3:Contents", NAMES)]
        shared = list(pages(running, delimiter="/", **query))
        for key, body in objects.items():
            assert get(running, "/ooni-data-eu-fra/" + quote(key)).body == body
    keys = [unquote_plus(texts(part, "s3:Key")[0]) for part in found]
    assert keys == [key for key in sorted(objects) if key.startswith(prefix) and key > after]
    assert [int(texts(part, "s3:Size")[0]) for part in found] == [len(objects[key]) for key in keys]
    digests = [f'"{hashlib.md5(objects[key]).hexdigest()}"' for key in keys]
    assert [texts(part, "s3:ETag")[0] for part in found] == digests
    folders = [unquote_plus(text) for page in shared for text in texts(page, "s3:CommonPrefixes/s3:Prefix")]
    singles = [unquote_plus(text) for page in shared for text in texts(page, "s3:Contents/s3:Key")]
    rests = {key: key[len(prefix) :] for key in keys}
    assert folders == sorted({prefix + rest.split("/")[0] + "/" for rest in rests.values() if "/" in rest})
    assert singles == [key for key, rest in rests.items() if "/" not in rest]


def test_names_are_escaped_without_an_encoding_too() -> None:
    with serve(Bucket({'a&b<c>"d"': b""})) as running:
        assert texts(listing(running), "s3:Contents/s3:Key") == ['a&b<c>"d"']
        assert texts(listing(running, **{"max-keys": "0"}), "s3:IsTruncated") == ["false"]


def test_what_is_put_in_late_is_listed() -> None:
    bucket = Bucket({"raw/a": b"1", "raw/c": b"3"}, page=1)
    with serve(bucket) as running:
        steps = pages(running)
        first = next(steps)
        bucket.put("raw/b", b"2")
        rest = list(steps)
    assert [texts(page, "s3:Contents/s3:Key") for page in [first, *rest]] == [["raw/a"], ["raw/b"], ["raw/c"]]


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=1, max_size=20), st.integers(0, 25), st.integers(0, 25))
def test_a_range_is_that_part_of_the_object(body: bytes, one: int, two: int) -> None:
    first, last = min(one, two), max(one, two)
    asked = {f"bytes={first}-{last}": body[first : last + 1], f"bytes={first}-": body[first:]}
    asked |= {f"bytes=-{last}": body[-last:] if last else b""}
    with serve(Bucket({"raw/a.jsonl.gz": body})) as running:
        for header, part in asked.items():
            answer = get(running, OBJECT, Range=header)
            assert answer.status == (206 if part else 416)
            if part:
                start = body.rindex(part) if header.startswith("bytes=-") else first
                assert answer.body == part
                assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(body)}"


def test_conditions_and_errors() -> None:
    bucket = Bucket({"raw/a.jsonl.gz": BODY})
    bucket.put("raw/parts", BODY, parts=3)
    with serve(bucket) as running:
        plain = get(running, OBJECT)
        etag = plain.headers["ETag"]
        assert (plain.status, etag) == (200, f'"{hashlib.md5(BODY).hexdigest()}"')
        head = get(running, OBJECT, "HEAD")
        assert (head.body, head.headers["Content-Length"], head.headers["ETag"]) == (b"", str(len(BODY)), etag)
        assert get(running, OBJECT, If_Match='"other"').status == 412
        assert get(running, OBJECT, If_None_Match=etag).status == 304
        assert get(running, OBJECT, Range="bytes=1-", If_Range=etag).status == 206
        assert get(running, OBJECT, Range="bytes=1-", If_Range=plain.headers["Last-Modified"]).status == 206
        assert get(running, OBJECT, Range="bytes=1-", If_Range='"other"').body == BODY
        assert get(running, "/ooni-data-eu-fra/raw/parts").headers["ETag"].endswith('-3"')
        for target, status, code in (
            ("/ooni-data-eu-fra/raw/none", 404, "NoSuchKey"),
            ("/other/raw/none", 404, "NoSuchBucket"),
            ("/ooni-data-eu-fra/?list-type=2&max-keys=x", 400, "InvalidArgument"),
            ("/ooni-data-eu-fra/?list-type=2&continuation-token=x", 400, "InvalidArgument"),
        ):
            answer = get(running, target)
            assert (answer.status, ET.fromstring(answer.body).findtext("Code")) == (status, code)


def test_what_was_asked_is_remembered() -> None:
    with serve(Bucket({"raw/a.jsonl.gz": BODY})) as running:
        parts = urlsplit(running.url)
        kept = [http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10) for _ in range(3)]
        for connection in [*kept, *kept]:
            connection.request("GET", OBJECT, headers={"User-Agent": "kholo", "Range": "bytes=0-9"})
            assert connection.getresponse().read() == BODY[:10]
        for connection in kept:
            connection.close()
        for _ in range(5):
            get(running, OBJECT)
    assert running.max_open == 3
    assert [seen.sent for seen in running.requests] == [10] * 6 + [len(BODY)] * 5
    assert {seen.request.headers.get("user-agent") for seen in running.requests[:6]} == {"kholo"}
    assert running.requests[0].request.headers["range"] == "bytes=0-9"


def test_nothing_is_left_when_the_server_ends() -> None:
    before = threading.active_count()
    with serve(Bucket({}), Faults(1, 1, [Kind.STALL])) as running:
        parts = urlsplit(running.url)
        idle = socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10)
        get(running, "/ooni-data-eu-fra/?list-type=2", "HEAD")
    assert threading.active_count() == before
    assert idle.recv(1) == b""
    idle.close()


def test_an_error_in_an_app_fails_the_test() -> None:
    def app(request: Request) -> Answer:
        raise KeyError(request.path)

    with pytest.raises(KeyError, match="/a"), serve(app) as running, pytest.raises(http.client.RemoteDisconnected):
        get(running, "/a")


def whole(request: Request) -> Answer:
    """A listing of one page in JSON, which may be asked for again."""
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(list(range(50))).encode(), lambda: AGAIN)


AGAIN = Answer(200, {"Content-Type": "application/json"}, b'"the same page"')
LISTING = "/ooni-data-eu-fra/?list-type=2"
BUCKET = Bucket({"raw/a.jsonl.gz": BODY, "raw/b": b"b"}, page=1)


def harmed(kind: Kind, target: str = OBJECT, app: App = BUCKET, seed: int = 0, **headers: str) -> Got:
    """The answer with that fault in it; the one after it has none."""
    with serve(app, Faults(seed, 1, [kind], most_in_a_row=1, stall=30, drip=0.01)) as running:
        try:
            return get(running, target, "GET", 0.2 if kind is Kind.STALL else 10, **headers)
        finally:
            assert running.requests[0].fault == kind
            sound = get(running, target, **headers)
            assert sound.body == app(running.requests[1].request).body
            assert running.requests[1].fault is None


def every(kind: Kind, target: str = OBJECT, app: App = BUCKET, **headers: str) -> Iterator[Got]:
    return (harmed(kind, target, app, seed, **headers) for seed in range(12))


def test_refusals_say_when_to_come_back() -> None:
    found = {(answer.status, answer.headers["Retry-After"]) for answer in every(Kind.TOO_MANY)}
    numbers = {text for _, text in found if text.isdigit()}
    assert {status for status, _ in found} == {429}
    assert numbers == {"0", "1"}
    assert all(parsedate_to_datetime(text) for _, text in found if text not in numbers)
    assert len(found) > len(numbers)
    found = {(answer.status, answer.headers["Retry-After"] is None) for answer in every(Kind.UNAVAILABLE)}
    assert found == {(503, True), (503, False)}
    assert {answer.status for answer in every(Kind.SERVER_ERROR)} == {500}
    assert {(answer.status, answer.headers["Content-Type"]) for answer in every(Kind.GATEWAY)} == {
        (502, "text/html"),
        (504, "text/html"),
    }


def test_slow_answers_are_whole_and_stalled_ones_are_not() -> None:
    assert harmed(Kind.SLOW).body == BODY
    with pytest.raises(TimeoutError):
        harmed(Kind.STALL)


def test_a_slow_answer_is_not_all_there_when_it_begins() -> None:
    with serve(BUCKET, Faults(0, 1, [Kind.SLOW], drip=4)) as running:
        parts = urlsplit(running.url)
        with closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)) as connection:
            connection.request("GET", OBJECT)
            assert connection.getresponse().read(1) == BODY[:1]
            assert 0 < running.requests[0].sent < len(BODY)


@pytest.mark.parametrize("seed", range(6))
def test_cut_answers_are_shorter_than_they_say(seed: int) -> None:
    with pytest.raises(http.client.IncompleteRead) as caught:
        harmed(Kind.CUT, seed=seed)
    assert caught.value.expected and BODY.startswith(caught.value.partial)
    assert len(caught.value.partial) + caught.value.expected == len(BODY)
    with pytest.raises(http.client.RemoteDisconnected):
        harmed(Kind.CUT_BEFORE, seed=seed)
    with pytest.raises(ConnectionResetError) as reset:
        harmed(Kind.RESET, seed=seed)
    # Of the one that is closed in order the library makes a class below this one.
    assert reset.type is ConnectionResetError


def test_spoiled_objects_are_known_by_their_etag() -> None:
    right = f'"{hashlib.md5(BODY).hexdigest()}"'
    for answer in every(Kind.SHORT):
        assert BODY.startswith(answer.body) and int(answer.headers["Content-Length"]) == len(answer.body) < len(BODY)
        assert answer.headers["ETag"] == right
        with pytest.raises(EOFError):
            gzip.decompress(answer.body + b"")
    for answer in every(Kind.FLIPPED):
        assert sum((one ^ two).bit_count() for one, two in zip(answer.body, BODY, strict=True)) == 1
        assert answer.headers["ETag"] == right
    for answer in every(Kind.WRONG_ETAG):
        assert answer.body == BODY and answer.headers["ETag"] != right


def test_redirects() -> None:
    with serve(BUCKET, Faults(0, 1, [Kind.REDIRECT])) as running:
        answer = get(running, OBJECT + "?a=1")
        assert running.other and answer.status == 307
        assert answer.headers["Location"] == f"{running.other.url}{OBJECT}?a=1"
        assert urlsplit(running.other.url).netloc != urlsplit(running.url).netloc
        assert get(running.other, OBJECT).body == BODY
        assert [seen.request.path for seen in running.other.requests] == [OBJECT]
    with serve(BUCKET, Faults(0, 1, [Kind.REDIRECT_LOOP])) as running:
        target = get(running, OBJECT).headers["Location"]
        for _ in range(5):
            assert get(running, target).headers["Location"] == target


def test_other_ranges_say_so() -> None:
    found = set()
    for answer in every(Kind.BAD_RANGE, Range="bytes=100-"):
        found.add((answer.status, answer.headers["Content-Range"]))
        assert answer.body == (BODY if answer.status == 200 else BODY[99:])
    assert found == {(200, None), (206, f"bytes 99-{len(BODY) - 1}/{len(BODY)}")}
    assert harmed(Kind.BAD_RANGE, seed=1, Range="bytes=0-").headers["Content-Range"] != f"bytes 0-{len(BODY) - 1}"


def test_listings_that_do_not_parse() -> None:
    bodies = [answer.body for answer in every(Kind.BAD_XML, LISTING)]
    assert {b"<!ENTITY" in body for body in bodies} == {True, False}
    for body in bodies:
        with pytest.raises(ET.ParseError):
            ET.fromstring(body)
    bodies = [answer.body for answer in every(Kind.BAD_JSON, "/", whole)]
    assert {body.startswith(b"[[") for body in bodies} == {True, False}
    for body in bodies:
        with pytest.raises((ValueError, RecursionError)):
            json.loads(body)


def test_a_page_that_names_itself_as_the_next() -> None:
    assert harmed(Kind.REPEAT_PAGE, "/", whole).body == AGAIN.body
    first = ET.fromstring(harmed(Kind.REPEAT_PAGE, LISTING).body)
    with serve(BUCKET) as running:
        same = listing(running, **{"continuation-token": texts(first, "s3:NextContinuationToken")[0]})
    assert texts(same, "s3:Contents/s3:Key") == texts(first, "s3:Contents/s3:Key") == ["raw/a.jsonl.gz"]


def walk(seed: int, rate: float, targets: Iterable[str] = (OBJECT, LISTING)) -> tuple[list[Hit], list[str | None]]:
    """Ask for some things in turn; the faults that came, and what befell the object."""
    faults = Faults(seed, rate, ALL - {Kind.STALL, Kind.SLOW}, most_in_a_row=2)
    with serve(BUCKET, faults) as running:
        for target in [*targets] * 20:
            try:
                get(running, target)
            except (http.client.HTTPException, OSError):
                continue
        return faults.log, [seen.fault for seen in running.requests if seen.request.target == OBJECT]


def test_the_seed_says_what_goes_wrong() -> None:
    log, _ = walk(7, 0.5)
    assert log == walk(7, 0.5)[0] != walk(8, 0.5)[0]
    assert 5 < len(log) < 35
    assert walk(7, 0)[0] == []
    # What else is asked for, and when, changes nothing.
    assert [hit for hit in log if hit.target == OBJECT] == walk(7, 0.5, [OBJECT])[0]


def test_whoever_tries_again_gets_it() -> None:
    _, kinds = walk(3, 1)
    assert [kind is None for kind in kinds] == [False, False, True] * 6 + [False, False]
