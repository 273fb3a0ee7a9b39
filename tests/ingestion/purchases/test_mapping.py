"""What a mapping may say beyond columns: constants, what is left out, cells that repeat, sums instead of prices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from ingestion.core.errors import Unreadable
from ingestion.purchases.feed import PurchasesFile
from ingestion.purchases.mapping import Mapping

COLUMNS: dict[str, Any] = {
    "purchase_id": "order", "product_id": "sku", "quantity": "qty", "purchased_at": "date", "unit_price": "price",
}  # fmt: skip
CONSTANTS = {"seller_id": "s", "currency_code": "KZT"}


def read(tmp_path: Path, text: str, **mapping: Any) -> tuple[list[dict[str, Any]], list[str], PurchasesFile]:
    path = tmp_path / "shop.csv"
    path.write_text(text, "utf-8")
    sentences: list[str] = []
    feed = PurchasesFile(
        path, sentences.append, mapping=Mapping.model_validate({"columns": COLUMNS, "constants": CONSTANTS} | mapping)
    )
    return [orjson.loads(message.value or b"") for message in feed.messages()], sentences, feed


def lines(body: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(line["quantity"], line["unit_price"]) for line in body["lines"]]


def test_columns_that_are_missing_are_constants(tmp_path: Path) -> None:
    columns = {"purchase_id": "order", "purchased_at": "date", "unit_price": "price"}
    constants = {"seller_id": "s", "currency_code": "тг", "quantity": 1, "product_id": "coffee"}
    bodies, _, _ = read(
        tmp_path, "order,date,price\n1,2025-11-20,500\n2,2025-11-20,-500\n", columns=columns, constants=constants
    )
    assert [lines(body) for body in bodies] == [[(1, "500")], [(-1, "500")]]
    assert {body["currency_code"] for body in bodies} == {"KZT"}
    assert bodies[0]["lines"][0]["product_id"] == "coffee"


def test_rows_of_a_status_are_left_out_counted_and_said(tmp_path: Path) -> None:
    text = (
        "order,date,sku,qty,price,State\n1,2025-11-20,A,1,5,Paid\n1,,B,1,5,\n"
        "2,2025-11-20,A,1,5,CANCELLED\n2,2025-11-20,B,1,5,\n"
    )
    bodies, sentences, feed = read(tmp_path, text, skip={"state": ["cancelled"]}, fill_down=["purchased_at"])
    assert [(body["purchase_id"], len(body["lines"])) for body in bodies] == [("1", 2)]
    assert sentences == ["shop.csv: 2 rows left out as the mapping's skip says: CANCELLED 2."]
    assert (feed.figures()["skipped_rows"], feed.total) == (2, 1)
    with pytest.raises(Unreadable, match="has no column Status, which skip names"):
        read(tmp_path, text, skip={"Status": ["x"]})


def test_a_report_that_leaves_out_what_repeats_is_filled_down(tmp_path: Path) -> None:
    text = "order,date,sku,qty,price\nR1,2025-11-20,A,1,5\n,,B,2,5\nR2,2025-11-21,A,1,5\nTotal,,,4,20\n"
    bodies, sentences, _ = read(tmp_path, text, fill_down=["purchase_id", "purchased_at"])
    assert [(b["purchase_id"], b["purchased_at"][:10], lines(b)) for b in bodies] == [
        ("R1", "2025-11-20", [(1, "5"), (2, "5")]), ("R2", "2025-11-21", [(1, "5")]),
    ]  # fmt: skip
    assert sentences == ["shop.csv: 1 row of totals, no purchases, left out: line 5."]


def test_a_sum_is_divided_and_refused_where_that_is_not_exact(tmp_path: Path) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name != "unit_price"} | {"line_amount": "sum"}
    text = "order,date,sku,qty,sum\n1,2025-11-20,A,4,10\n2,2025-11-20,A,3,10\n3,2025-11-20,A,0,10\n"
    bodies, sentences, _ = read(tmp_path, text, columns=columns)
    assert lines(bodies[0]) == [(4, "2.5")]
    assert lines(bodies[1])[0][1].startswith("10 (a sum that 3 pieces share")
    assert "column sum: found '10', expected a sum that 3 pieces share in whole ten-thousandths" in sentences[0]
    assert "a quantity other than 0" in sentences[1]


def test_a_sign_that_contradicts_the_currency_is_refused(tmp_path: Path) -> None:
    bodies, sentences, _ = read(tmp_path, "order,date,sku,qty,price\n1,2025-11-20,A,1,€5\n2,2025-11-20,A,1,5 ₸\n")
    assert lines(bodies[1]) == [(1, "5")]
    assert lines(bodies[0])[0][1] == "€5 (an amount in KZT, the currency of the row; this is EUR)"
    assert "expected an amount in KZT, the currency of the row; this is EUR" in sentences[0]


def test_a_number_in_doubt_does_not_pass_as_it_stands(tmp_path: Path) -> None:
    # The stream would take 1.234 for a price, and nobody has said that it is one.
    bodies, sentences, _ = read(tmp_path, "order,date,sku,qty,price\n1,2025-11-20,A,1,1.234\n")
    assert lines(bodies[0])[0][1].startswith("1.234 (")
    assert "set decimal_mark" in sentences[0]
    stated, _, _ = read(tmp_path, "order,date,sku,qty,price\n1,2025-11-20,A,1,1.234\n", decimal_mark=".")
    assert lines(stated[0]) == [(1, "1.234")]


def test_a_stated_separator_that_is_wrong_is_named_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"set apart by ';', not by ',': set delimiter = ';'"):
        read(tmp_path, "order;date;sku;qty;price\n", delimiter=",")


def test_day_and_time_may_be_two_columns_and_formats_several(tmp_path: Path) -> None:
    columns = COLUMNS | {"purchased_at": ["date", "time"]}
    text = "order,date,time,sku,qty,price\n1,20.11.2025,09:30,A,1,5\n2,21.11.2025,,A,1,5\n"
    bodies, _, feed = read(tmp_path, text, columns=columns, date_format=["%d.%m.%Y %H:%M", "%d.%m.%Y"])
    assert [body["purchased_at"] for body in bodies] == ["2025-11-20T09:30:00Z", "2025-11-21T00:00:00Z"]
    assert feed.problems == 0


def test_rows_of_one_purchase_with_two_times_are_told_of(tmp_path: Path) -> None:
    text = "order,date,sku,qty,price\n1,2025-11-20 10:00,A,1,5\n1,2025-11-20 09:00,B,1,5\n"
    bodies, sentences, feed = read(tmp_path, text)
    assert bodies[0]["purchased_at"] == "2025-11-20T09:00:00Z"
    assert sentences == ["shop.csv: the rows of 1 purchases name different times (line 3); the earliest counts."]
    assert feed.problems == 0


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"date_format": ""}, "nothing is chosen"),
        ({"constants": {"seller_id": "", "currency_code": "KZT"}}, "at least 1 character"),
        ({"columns": COLUMNS | {"line_amount": "sum"}}, "one of them is enough"),
        ({"encoding": "utf-9"}, "'utf-9' is unknown"),
    ],
)
def test_what_is_not_filled_in_stops_the_load(tmp_path: Path, mapping: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path, "order,date,sku,qty,price\n", **mapping)
