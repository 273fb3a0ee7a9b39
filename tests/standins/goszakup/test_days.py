"""A day passes: what came, changed and left is in the registers and in the journal, and in nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.standins.goszakup.asking import Client, client_of

PATHS = {
    "subject": "/v3/subject/all", "rnu": "/v3/rnu", "plans": "/v3/plans/all", "plans_kato": "/v3/plans/kato",
    "plans_spec": "/v3/plans/spec", "trd_buy": "/v3/trd-buy/all", "lots": "/v3/lots", "trd_app": "/v3/trd-app",
    "contract": "/v3/contract/all", "acts": "/v3/acts", "treasury_pay": "/v3/treasury-pay",
}  # fmt: skip
Rows = dict[tuple[str, str], dict[str, Any]]


def snapshot(client: Client) -> Rows:
    """All rows by service and by the name that the journal has for them."""
    actual: Rows = {}
    for service, path in PATHS.items():
        for row in client.walk(path):
            number = str(row["pid"] if service == "subject" else row["id"])
            actual[service, f"{row['system_id']}-{number}" if service == "rnu" else number] = row
    return actual


def test_the_journal_tells_each_day_what_changed() -> None:
    client = client_of(1000, 3)
    before, came, changed, left = snapshot(client), set(), set(), set()
    for day in range(12):
        assert client.ask("/standin/day", "POST").json()["day"] == day + 1
        after = snapshot(client)
        today = date(2026, 6, 1) + timedelta(days=day)
        entries = client.walk(f"/v3/journal?date_from={today}&date_to={today}", limit=7)
        output = {(row["service_name"], row["object_id"]): row["action"] for row in entries}
        new = {key for key in after if key not in before}
        other = {key for key in after if key in before and after[key] != before[key]}
        gone = {key for key in before if key not in after}

        assert len(output) == len(entries)
        assert {key for key, action in output.items() if action == "D"} == gone
        assert {key for key, action in output.items() if action == "U"} == new | other
        assert {row["date_action"][:10] for row in entries} == {str(today)}
        assert [row["date_action"] for row in entries] == sorted((row["date_action"] for row in entries), reverse=True)
        came |= {service for service, _ in new}
        changed |= {service for service, _ in other}
        left |= {service for service, _ in gone}
        before = after
    assert came >= {"subject", "plans", "trd_buy", "lots", "trd_app", "contract", "acts", "treasury_pay"}
    assert changed >= {"subject", "trd_buy", "lots", "trd_app", "contract", "acts"}
    assert left >= {"trd_buy", "lots", "plans"}


def test_new_rows_stand_at_the_head(client: Client) -> None:
    other = client_of(1000, 1)
    for path in PATHS.values():
        assert other.get(path) == client.get(path)
    for _ in range(3):
        other.ask("/standin/day", "POST")
    for path in ("/v3/lots", "/v3/contract", "/v3/trd-app", "/v3/plans/all"):
        top = client.get(path)["items"][0]["id"]
        old = {row["id"] for row in client.walk(path)}
        new = [row["id"] for row in other.walk(path) if row["id"] not in old]
        assert new
        assert min(new) > top


def test_a_walk_goes_on_although_a_day_passes() -> None:
    client = client_of(1000, 1)
    first = client.get("/v3/lots?limit=100")
    client.ask("/standin/day", "POST")
    second = client.get(first["next_page"])

    assert second["items"][0]["id"] < first["items"][-1]["id"]
    assert second["total"] != first["total"]


def test_journal_entries_lead_to_their_rows(client: Client) -> None:
    entries = client.walk("/v3/journal")
    for service in ("subject", "rnu", "plans", "trd_buy", "lots", "contract", "acts"):
        actual = [row for row in entries if row["service_name"] == service and row["action"] == "U"]
        assert all(row["url"] for row in actual)
        if actual:
            assert client.ask(actual[0]["url"]).status_code in (200, 404 if service == "rnu" else 200)
    assert all(row["url"] == "" for row in entries if row["action"] == "D")


def test_a_wrong_day_is_refused(client: Client) -> None:
    assert client.ask("/v3/journal?date_from=yesterday").status_code == 400


def test_the_world_ends() -> None:
    client = client_of(200, 1, days=2)

    assert [client.ask("/standin/day", "POST").status_code for _ in range(3)] == [200, 200, 409]


def test_control_paths_want_the_token() -> None:
    client = client_of(200, 1, days=2)

    assert client.ask("/standin/day", "POST", token=None).status_code == 401
    assert client.get("/standin/world")["day"] == 0


def test_an_expired_token_is_refused_until_it_is_renewed() -> None:
    client = client_of(200, 1, days=2)
    client.ask("/standin/expire", "POST")
    refused = client.ask("/v3/lots")

    assert (refused.status_code, refused.json()["message"]) == (401, "Срок действия токена истек")
    client.ask("/standin/renew", "POST")
    assert client.ask("/v3/lots").status_code == 200
