"""Signals from the archives' own protocols over real sockets into a store, as a person fetches them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kholo.store import Store

from .commands import json_lines, kholo
from .servers import Ioda, MLab, Radar, Running, serve
from .servers.ioda import Alert, Entity
from .servers.radar import TOKEN
from .test_servers_witnesses import OTHER, OUTAGE

BEGIN = datetime(2024, 2, 8, 2, tzinfo=UTC)
END = datetime(2024, 2, 20, 15, tzinfo=UTC)
PAKISTAN = Entity("country", "PK", "Pakistan", {}, frozenset({("asn", "45669")}))
NETWORK = Entity("asn", "45669", "MOBILINK", {}, frozenset({("country", "PK")}))
REGION = Entity("region", "4200", "Sindh", {}, frozenset({("country", "PK")}))
FULL = {int(datetime(2024, 2, 5, tzinfo=UTC).timestamp()) + 300 * step: 900.0 for step in range(3 * 7 * 288)}
IODA = Ioda(
    [PAKISTAN, NETWORK, REGION],
    {("country", "PK", "bgp"): dict(FULL)},
    [
        Alert("bgp", one, int(time.timestamp()), level, value, 100.0)
        for one in (PAKISTAN, NETWORK, REGION)
        for time, level, value in ((BEGIN, "critical", 5.0), (END, "normal", 100.0))
    ],
)
ASKED = ("--cc", "PK", "--since", "2024-02-12", "--until", "2024-02-18")


def fetch(
    source: str, store: Path, running: Running, path: str, *more: str, env: dict[str, str] | None = None
) -> bytes:
    done = kholo("fetch", source, *ASKED, "--store", store, "--endpoint", running.url + path, *more, env=env)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


def test_an_outage_over_borders_of_weeks_comes_whole_from_ioda(tmp_path: Path) -> None:
    with serve(IODA) as running:
        fetch("ioda", tmp_path, running, "/v2")
        asked = len(running.requests)
        assert b" 0 objects to fetch" in fetch("ioda", tmp_path, running, "/v2")
        assert len(running.requests) == asked, "what has settled is not fetched twice"
    country, network = sorted(
        json_lines("signals", "--store", tmp_path, "--kind", "outage"), key=lambda row: row["network"]
    )
    for row in (country, network):
        assert (row["since"], row["until"]) == ("2024-02-08T02:00:00Z", "2024-02-20T15:00:00Z")
    assert (country["place"], network["network"]) == ("PK", "AS45669")
    levels = json_lines("signals", "--store", tmp_path, "--kind", "level")
    assert {row["value"] for row in levels} == {900.0}
    assert len(levels) == 7 * 24, "a week from Monday, by the hour"
    with Store(tmp_path).connect() as db:
        assert db.execute("SELECT count(*) FROM rejects").fetchone() == (0,)
        assert db.execute("SELECT DISTINCT split_part(file, '/', 1) FROM signals").fetchall() == [("ioda",)]


def test_radar_is_asked_with_the_token_which_stands_nowhere(tmp_path: Path) -> None:
    start = datetime(2024, 2, 1, tzinfo=UTC)
    traffic = {start + timedelta(hours=hour): 1.0 + hour % 24 for hour in range(29 * 24)}
    api = Radar([OUTAGE, OTHER], [], {("http", "PK"): traffic, ("http", "AS45669"): traffic})
    with serve(api) as running:
        said = fetch(
            "radar", tmp_path, running, "/client/v4", "--network", "AS45669", env={"CLOUDFLARE_API_TOKEN": TOKEN}
        )
        without = kholo("fetch", "radar", *ASKED, "--store", tmp_path, env={"CLOUDFLARE_API_TOKEN": ""})
    assert (without.returncode, b"CLOUDFLARE_API_TOKEN" in without.stderr) == (3, True)
    assert TOKEN.encode() not in said
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    (outage,) = json_lines("signals", "--store", tmp_path, "--kind", "outage")
    assert (outage["signal"], outage["since"]) == ("annotation", "2024-02-08T02:00:00Z")
    levels = json_lines("signals", "--store", tmp_path, "--kind", "level")
    assert len(levels) == 2 * 29 * 24
    assert {row["network"] for row in levels} == {"", "AS45669"}
    assert {row["unit"] for row in levels} == {"requests, normalised (MIN0_MAX) within 2024-02-01 to 2024-02-29"}
    assert max(row["value"] for row in levels) == 1.0


def test_speeds_come_from_mlab_for_the_country_and_a_network(tmp_path: Path) -> None:
    days = {date(2024, 2, 10) + timedelta(days=number): [(10.0, 4.0, 30.0)] * 20 for number in range(9)}
    with serve(MLab({"AS/PK": days, "AS/PK/asn/AS45669": days})) as running:
        fetch("mlab", tmp_path, running, "/v0", "--network", "AS45669")
    rows = json_lines("signals", "--store", tmp_path, "--source", "mlab")
    speeds = [row for row in rows if row["signal"] == "download"]
    assert {(row["place"], row["network"]) for row in rows} == {("PK", ""), ("PK", "AS45669")}
    assert len(speeds) == 2 * 9
    assert {row["value"] for row in speeds} == {10.0}
