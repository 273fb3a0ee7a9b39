"""What the list of planted truths says holds in the rows, and nothing else in the rows looks like it."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date
from typing import Any

import pytest

from tests.standins.goszakup.asking import Client

Json = dict[str, Any]


@pytest.fixture(scope="module")
def contracts(client: Client) -> list[Json]:
    return client.walk("/v3/contract/all")


@pytest.fixture(scope="module")
def bidders(client: Client) -> dict[int, list[tuple[float, str, int]]]:
    """For each lot its bids: amount, BIN, status."""
    actual = defaultdict(list)
    for bid in client.walk("/v3/trd-app"):
        for offer in bid["app_lots"]:
            actual[offer["lot_id"]].append((offer["amount"], bid["supplier_bin_iin"], offer["status_id"]))
    return actual


def test_ring_members_bid_together_and_take_turns(client: Client, bidders: Any, contracts: list[Json]) -> None:
    [ring] = client.truths("bidding_ring")
    winners = [tender["winner"] for tender in sorted(ring["tenders"], key=lambda tender: tender["trd_buy_id"])]
    suppliers = defaultdict(set)
    for row in contracts:
        suppliers[row["trd_buy_id"]].add(row["supplier_biin"])

    assert len(ring["tenders"]) == 12
    assert Counter(winners) == dict.fromkeys(ring["members"], 3)
    assert all(one != next_one for one, next_one in itertools.pairwise(winners))
    for tender in ring["tenders"]:
        for lot in tender["lot_ids"]:
            assert sorted(biin for _, biin, _ in bidders[lot]) == sorted(ring["members"])
            amount, lowest, status = min(bidders[lot])
            assert (lowest, status) == (tender["winner"], 360)
            assert all(1.003 < cover / amount < 1.04 for cover, biin, _ in bidders[lot] if biin != lowest)
        assert suppliers[tender["trd_buy_id"]] == {tender["winner"]}


def test_ring_members_bid_nowhere_else(client: Client, bidders: Any) -> None:
    [ring] = client.truths("bidding_ring")
    lots = {lot for tender in ring["tenders"] for lot in tender["lot_ids"]}

    assert {lot for lot, bids in bidders.items() if {biin for _, biin, _ in bids} & set(ring["members"])} == lots


def test_the_lowest_admitted_bid_wins_everywhere(bidders: Any) -> None:
    decided = [bids for bids in bidders.values() if any(status == 360 for _, _, status in bids)]

    assert len(decided) > 300
    for bids in decided:
        [won] = [amount for amount, _, status in bids if status == 360]
        assert won == min(amount for amount, _, status in bids if status in (340, 360))


def test_split_purchases_stay_just_below_the_threshold(client: Client, contracts: list[Json]) -> None:
    by_id = {row["id"]: row for row in contracts}
    truths = client.truths("split_purchase")
    split = {contract for truth in truths for contract in truth["contract_ids"]}

    assert len(truths) == 2
    for truth in truths:
        rows = [by_id[contract] for contract in truth["contract_ids"]]
        days = sorted(row["crdate"][:10] for row in rows)
        assert {(row["customer_bin"], row["supplier_biin"], row["trd_buy_id"]) for row in rows} == {
            (truth["buyer_bin"], truth["supplier_biin"], 0)
        }
        assert all(0.9 * truth["threshold"] <= row["contract_sum"] < truth["threshold"] for row in rows)
        assert sum(row["contract_sum"] for row in rows) == truth["contract_sum"] > 6 * truth["threshold"]
        assert (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days <= 9
    near = {
        row["id"]
        for row in contracts
        if not row["trd_buy_id"] and not row["parent_id"] and row["contract_sum"] >= 0.9 * truths[0]["threshold"]
    }
    assert near == split


def test_single_bid_buyers_get_one_bid_a_lot(client: Client, bidders: Any) -> None:
    [truth] = client.truths("single_bid_buyer")
    lots = client.walk(f"/v3/lots/bin/{truth['buyer_bin']}")
    decided = [lot for lot in lots if lot["trd_buy_id"] in truth["trd_buy_ids"]]

    assert len(truth["trd_buy_ids"]) >= 5
    assert {lot["trd_buy_id"] for lot in decided} == set(truth["trd_buy_ids"])
    assert {len(bidders[lot["id"]]) for lot in decided} == {1}


def test_inflated_contracts_are_the_only_ones_that_grow_much(client: Client, contracts: list[Json]) -> None:
    chains = defaultdict(list)
    for row in reversed(contracts):
        chains[row["root_id"]].append(row["contract_sum"])
    grown = {root: (sums[0], sums[-1]) for root, sums in chains.items() if sums[-1] > 1.2 * sums[0]}

    assert len(grown) >= 3
    assert grown == {
        truth["root_id"]: (truth["first_sum"], truth["last_sum"]) for truth in client.truths("inflated_addenda")
    }


def test_listed_winners_are_exactly_those_that_the_registers_show(client: Client, contracts: list[Json]) -> None:
    entries = defaultdict(list)
    for row in client.walk("/v3/rnu"):
        if row["system_id"] == 3 and row["supplier_biin"] not in entries:
            entries[row["supplier_biin"]] = client.walk(f"/v3/rnu/{row['supplier_biin']}")
    signed = {
        (row["id"], entry["start_date"])
        for row in contracts
        for entry in entries.get(row["supplier_biin"], [])
        if not row["parent_id"] and row["sign_date"]
        and entry["start_date"] <= row["sign_date"] < entry["end_date"] and entry["end_date"] > "2026-06-01"
    }  # fmt: skip

    assert len(signed) >= 1
    assert signed == {(truth["contract_id"], truth["entered"]) for truth in client.truths("signed_while_in_rnu")}


def test_who_entered_the_register_had_won_before(client: Client, contracts: list[Json]) -> None:
    by_id = {row["id"]: row for row in contracts}
    truths = client.truths("winner_entered_rnu")

    assert len(truths) >= 3
    for truth in truths:
        contract = by_id[truth["contract_id"]]
        assert contract["supplier_biin"] == truth["supplier_biin"]
        assert contract["sign_date"] < contract["contract_end_date"] < truth["entered"]
        listed = client.walk(f"/v3/rnu/{truth['supplier_biin']}")
        entries = {(row["start_date"], row["customer_biin"]) for row in listed}
        assert (truth["entered"], contract["customer_bin"]) in entries


def test_payments_without_acts_are_the_planted_ones(client: Client) -> None:
    proven = {row["contract_id"] for row in client.walk("/v3/acts")}
    paid: Counter[int] = Counter()
    for row in client.walk("/v3/treasury-pay"):
        paid[row["contract_id"]] += row["pay_amount"]
    truths = client.truths("payment_without_act")

    assert len(truths) >= 3
    assert {contract: amount for contract, amount in paid.items() if contract not in proven} == {
        truth["contract_id"]: truth["pay_amount"] for truth in truths
    }


def test_failed_and_cancelled_tenders_are_told(client: Client) -> None:
    status = {row["id"]: row["ref_buy_status_id"] for row in client.walk("/v3/trd-buy")}
    [failed], [cancelled] = client.truths("failed_tenders"), client.truths("cancelled_tenders")

    assert set(failed["trd_buy_ids"]) == {tender for tender, code in status.items() if code == 410}
    assert set(cancelled["trd_buy_ids"]) == {tender for tender, code in status.items() if code == 430}
    assert len(cancelled["trd_buy_ids"]) > 5
    assert all(client.get(f"/v3/trd-buy/{tender}/cancel")["total"] == 1 for tender in cancelled["trd_buy_ids"][:5])


def test_what_follows_a_failure_names_it(client: Client) -> None:
    tenders = {row["id"]: row for row in client.walk("/v3/trd-buy/all")}
    following = [row for row in tenders.values() if row["parent_id"]]

    assert len(following) > 5
    for row in following:
        before = tenders[row["parent_id"]]
        assert (before["ref_buy_status_id"], row["ref_trade_methods_id"]) == (410, 6)
        assert before["org_bin"] == row["org_bin"]
        assert row["number_anno"].endswith("-2")
        assert row["biin_supplier"]
