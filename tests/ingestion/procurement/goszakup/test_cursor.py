from __future__ import annotations

from random import Random

import pytest

from ingestion.procurement.goszakup.cursor import CursorRefused, first_address, follow
from schemas.procurement.endpoints import Endpoint, by_name

BASE = "https://ows.goszakup.gov.kz"
LOTS, UNITS, DELETED = (by_name()[name] for name in ("lots", "ref_units", "plans_deleted"))


def step(next_page: str, endpoint: Endpoint = LOTS, **more: object) -> tuple[str, str]:
    return tuple(follow(endpoint, endpoint.path, BASE, next_page, **more))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    "next_page",
    [
        "/v3/lots?page=next&search_after=836127",
        "/lots?page=next&search_after=836127",
        "lots?page=next&search_after=836127",
        "v3/lots/?page=next&search_after=836127",
        "?page=next&search_after=836127",
        f"{BASE}/v3/lots?page=next&search_after=836127",
        "https://OWS.goszakup.gov.kz/lots?page=next&search_after=836127",
        "//ows.goszakup.gov.kz/v3/lots?page=next&search_after=836127",
    ],
)
def test_a_cursor_is_brought_home(next_page: str) -> None:
    assert step(next_page) == ("/v3/lots?page=next&search_after=836127", "836127")


def test_the_malformed_cursor_of_deleted_plans_is_repaired_and_of_no_other_register() -> None:
    repaired = "/v2/plans/deleted?page=next&search_after=10"
    assert step("/plans/spec?page=next&search_after=10", DELETED)[0] == repaired
    assert step("/v2/plans/spec?page=next&search_after=10", DELETED)[0] == repaired
    assert step("/plans/deleted?page=next&search_after=10", DELETED)[0] == repaired
    with pytest.raises(CursorRefused, match="which is not the path /v3/lots that is being read"):
        step("/plans/spec?page=next&search_after=10")


def test_what_we_asked_with_is_added_where_the_service_forgot_it() -> None:
    own = {"date_from": "2026-01-01", "limit": "500"}
    assert step("?page=next&search_after=9", own=own)[0].endswith("search_after=9&date_from=2026-01-01&limit=500")
    assert step("?page=next&limit=50&search_after=9", own={"limit": "500"})[0] == (
        "/v3/lots?page=next&limit=50&search_after=9"
    )


@pytest.mark.parametrize(
    ("next_page", "why"),
    [
        ("https://evil.example/v3/lots?search_after=5", "is not on https://ows.goszakup.gov.kz"),
        ("//evil.example/v3/lots?search_after=5", "is not on"),
        ("http://ows.goszakup.gov.kz/v3/lots?search_after=5", "is not on"),
        ("https://ows.goszakup.gov.kz:8443/v3/lots?search_after=5", "is not on"),
        ("https://user@ows.goszakup.gov.kz/v3/lots?search_after=5", "is not on"),
        ("https://ows.goszakup.gov.kz.evil.example/v3/lots?search_after=5", "is not on"),
        ("file:///v3/lots?search_after=5", "is not on"),
        ("/v3/../admin?search_after=5", "is not the path /v3/lots"),
        ("/v3/lots/../../x?search_after=5", "is not the path"),
        ("/v2/lots?search_after=5", "is not the path"),
        ("/v3/contract?search_after=5", "is not the path"),
        ("\\\\evil.example\\lots?search_after=5", "is no address"),
        ("/v3/lots?search_after=5\r\nHost: evil", "is no address"),
        ("https://[half/v3/lots?search_after=5", "is no address"),
        ("/v3/lots?page=next", "does not say search_after once"),
        ("/v3/lots?search_after=", "does not say search_after once"),
        ("/v3/lots?search_after=5&search_after=6", "does not say search_after once"),
        ("/v3/lots?search_after=abc", "a number was expected"),
        ("/v3/lots?search_after=-5", "a number was expected"),
    ],
)
def test_a_cursor_that_leads_elsewhere_is_refused(next_page: str, why: str) -> None:
    with pytest.raises(CursorRefused) as refused:
        step(next_page)
    assert why in str(refused.value)
    assert repr(next_page) in str(refused.value)


@pytest.mark.parametrize("number", [100, 101, 1_000_000])
def test_ids_must_fall_and_the_refusal_names_both_cursors(number: int) -> None:
    with pytest.raises(CursorRefused, match=rf"search_after={number}' after the cursor 100, and {number} does not"):
        step(f"/v3/lots?search_after={number}", last="100")
    assert step("/v3/lots?search_after=99", last="100")[1] == "99"


def test_a_cursor_may_not_skip_rows() -> None:
    assert step("/v3/lots?search_after=91", last="100", least="91")[1] == "91"
    assert step("/v3/lots?search_after=92", last="100", least="91")[1] == "92", "rows come again, and none is missed"
    with pytest.raises(CursorRefused, match="and would skip rows: the last one of the page is 91"):
        step("/v3/lots?search_after=90", last="100", least="91")


def test_codes_may_come_in_any_order_but_none_twice() -> None:
    assert step("/v3/refs/ref_units?search_after=796", UNITS, last="778", seen={"006", "778"})[1] == "796"
    assert step("/v3/refs/ref_units?search_after=006", UNITS, last="778", seen={"778"})[1] == "006"
    for read in ("778", "006"):
        with pytest.raises(CursorRefused, match=f"and {read} was read before"):
            step(f"/v3/refs/ref_units?search_after={read}", UNITS, last="778", seen={"006", "778"})


def test_no_service_can_make_a_walk_endless_or_leave_its_register() -> None:
    """Whatever comes as the next page, it is refused, or the walk stays where it is and comes nearer to its end."""
    random = Random(7)
    pieces = ["/", "v3", "lots", "?", "&", "search_after=", "page=next", "//", "evil.example", "https:", "@", ":", "..",
              "%2e", "#", "9", "42", "1000", " ", "\\", "\n", "é", "[", "limit=5"]  # fmt: skip
    followed = 0
    for _ in range(20_000):
        next_page = "".join(random.choices(pieces, k=random.randint(1, 8)))
        if random.random() < 0.5:
            next_page = f"/v3/lots?search_after={next_page}"
        try:
            address, cursor = step(next_page, last="1000")
        except CursorRefused:
            continue
        followed += 1
        assert address.startswith("/v3/lots?")
        assert int(cursor) < 1000
    assert followed > 100


def test_the_first_address_says_what_is_asked_for() -> None:
    assert first_address("/v3/lots", {"limit": "500"}) == "/v3/lots?limit=500"
    assert first_address("/v3/lots/7", {}) == "/v3/lots/7"
