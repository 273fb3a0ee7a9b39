from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingestion.core.errors import IngestError, Unreadable
from ingestion.core.message import Message
from ingestion.purchases import mapping as purchases_mapping
from ingestion.purchases.feed import CONTENT, PurchasesFile
from ingestion.purchases.mapping import load_mapping
from schemas.derive.content_id import content_id, written
from tests.ingestion.fakes import HEADER, ONLINE_RETAIL_FILE, csv

# The first lines of the UCI file's second and third invoice.
LANTERN = "536365,71053,WHITE METAL LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom"
WARMER = "536366,22633,HAND WARMER UNION JACK,6,2010-12-01 08:28:00,1.85,17850.0,United Kingdom"
POLKA = "536366,22632,HAND WARMER RED POLKA DOT,6,2010-12-01 08:28:00,1.85,17850.0,United Kingdom"
RETURN = "C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527.0,United Kingdom"
DEBT = "A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom"


def sent(path: Path, **options: Any) -> list[Message]:
    return list(PurchasesFile(path, lambda _: None, **options).messages())


def bodies(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [orjson.loads(message.value or b"") for message in sent(path, **options)]


def sentences_of(path: Path, **options: Any) -> list[str]:
    sentences: list[str] = []
    list(PurchasesFile(path, sentences.append, **options).messages())
    return sentences


def test_all_lines_of_an_invoice_are_one_event_in_the_order_of_the_file(tmp_path: Path) -> None:
    first, second = bodies(csv(tmp_path, LANTERN, WARMER, POLKA))
    assert first == {
        "purchase_id": "536365",
        "purchased_at": "2010-12-01T08:26:00Z",
        "seller_id": "online-retail-uk",
        "currency_code": "GBP",
        "customer_id": "17850",
        "lines": [
            {"product_id": "71053", "description": "WHITE METAL LANTERN", "quantity": 6, "unit_price": "3.39"},
        ],
        "source": "file:shop.csv:2-2",
    }  # fmt: skip
    assert [line["product_id"] for line in second["lines"]] == ["22633", "22632"]
    assert second["source"] == "file:shop.csv:3-4"


def test_an_invoice_that_is_split_by_another_is_put_together(tmp_path: Path) -> None:
    messages = sent(csv(tmp_path, WARMER, LANTERN, POLKA))
    assert [(orjson.loads(m.value or b"")["purchase_id"], m.lines) for m in messages] == [("536365", 1), ("536366", 2)]


def test_the_earliest_of_an_invoices_times_is_its_time(tmp_path: Path) -> None:
    (body,) = bodies(csv(tmp_path, WARMER.replace("08:28", "08:29"), POLKA))
    assert body["purchased_at"] == "2010-12-01T08:28:00Z"


def test_a_missing_customer_and_description_are_left_out(tmp_path: Path) -> None:
    (body,) = bodies(csv(tmp_path, "536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom"))
    assert "customer_id" not in body
    assert "description" not in body["lines"][0]
    assert body["lines"][0]["unit_price"] == "0"


def test_money_is_exact_for_returns_and_debts_too(tmp_path: Path) -> None:
    messages = sent(csv(tmp_path, LANTERN, WARMER, POLKA, RETURN, DEBT))
    # 6 × 3.39; 6 × 1.85 + 6 × 1.85; −27.5; −11062.06
    assert [m.amount for m in messages] == [Decimal("20.34"), Decimal("22.2"), Decimal("-27.5"), Decimal("-11062.06")]
    assert orjson.loads(messages[3].value or b"")["lines"][0]["unit_price"] == "-11062.06"


def test_ids_come_from_content_not_from_name_packing_or_number_style(tmp_path: Path) -> None:
    plain = csv(tmp_path, LANTERN, WARMER, POLKA)
    ids = [m.event_id for m in sent(plain)]
    renamed = csv(tmp_path, LANTERN, WARMER, POLKA, name="other.csv")
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    restyled = csv(tmp_path, LANTERN.replace("3.39", "3.390").replace(",6,", ",6.0,"), WARMER, POLKA)
    assert [m.event_id for m in sent(renamed)] == ids
    assert [m.event_id for m in sent(packed)] == ids
    assert [m.event_id for m in sent(restyled)] == ids
    # Were ids made otherwise, whatever was sent before would be doubled by sending it again.
    assert ids[0] == "f81071ec-1b80-80c9-81c9-9b87e46267c4"
    assert sent(csv(tmp_path, LANTERN.replace("3.39", "3.38"), WARMER, POLKA))[0].event_id != ids[0]


def test_the_headers_name_the_file_and_the_time(tmp_path: Path) -> None:
    (message,) = sent(csv(tmp_path, LANTERN))
    headers = dict(message.headers)
    assert headers["ce_id"] == message.event_id.encode() == message.key
    assert headers["ce_source"] == b"file:shop.csv"
    assert headers["ce_time"] == b"2010-12-01T08:26:00Z"


@pytest.mark.parametrize(
    ("row", "field", "value", "sentence"),
    [
        (LANTERN.replace(",6,", ",abc,"), "quantity", "abc", "column Quantity: found 'abc', expected a whole number"),
        (LANTERN.replace(",6,", ",1.5,"), "quantity", "1.5", "column Quantity: found '1.5', expected a whole number"),
        (LANTERN.replace(",6,", ",,"), "quantity", "", "column Quantity: found '', expected a whole number"),
        (LANTERN.replace(",6,", ",1_0,"), "quantity", "1_0", "column Quantity: found '1_0', expected a whole number"),
        (LANTERN.replace("3.39", "two"), "unit_price", "two", "column UnitPrice: found 'two', expected an amount"),
        (LANTERN.replace("3.39", "NaN"), "unit_price", "NaN", "column UnitPrice: found 'NaN', expected an amount"),
        (LANTERN.replace("3.39", "3.12345"), "unit_price", "3.12345", "column UnitPrice: found '3.12345'"),
        (LANTERN.replace("3.39", "1" * 15), "unit_price", "1" * 15, "column UnitPrice"),
    ],
)
def test_a_number_that_is_none_is_sent_as_it_stands(
    tmp_path: Path, row: str, field: str, value: str, sentence: str
) -> None:
    path = csv(tmp_path, WARMER, row)
    body = bodies(path)[1]
    assert body["lines"][0][field] == value
    assert body["source"] == "file:shop.csv:3-3"
    (sentences,) = sentences_of(path)
    assert sentences.startswith("shop.csv line 3, ")
    assert sentence in sentences


@pytest.mark.parametrize(
    ("date", "sent_as"),
    [
        ("yesterday", "yesterday"),
        ("", ""),
        # Spark would take these for times.
        ("2010", "2010 (a time as %Y-%m-%d %H:%M:%S was expected)"),
        ("T09:30", "T09:30 (a time as %Y-%m-%d %H:%M:%S was expected)"),
    ],
)
def test_a_date_that_is_none_is_sent_so_that_no_rule_lets_it_pass(tmp_path: Path, date: str, sent_as: str) -> None:
    path = csv(tmp_path, WARMER, POLKA.replace("2010-12-01 08:28:00", date))
    assert bodies(path)[0]["purchased_at"] == sent_as
    assert "line 3, column InvoiceDate" in sentences_of(path)[0]


@pytest.mark.parametrize("row", ["536365,71053,WHITE", LANTERN + ",more"])
def test_a_row_of_too_few_or_many_cells_is_sent_whole_where_a_number_must_stand(tmp_path: Path, row: str) -> None:
    path = csv(tmp_path, row)
    (message,) = sent(path)
    body = orjson.loads(message.value or b"")
    assert body["purchase_id"] == "536365"
    assert body["lines"][0]["quantity"] == row
    assert message.amount == 0
    assert f"column (all): found '{row.count(',') + 1} cells', expected 8 cells" in sentences_of(path)[0]


def test_a_row_without_a_purchase_id_is_an_event_of_its_own_even_where_rows_are_equal(tmp_path: Path) -> None:
    nameless = "," + LANTERN.partition(",")[2]
    path = csv(tmp_path, nameless, WARMER, nameless, POLKA)
    messages = sent(path)
    actual = [orjson.loads(m.value or b"") for m in messages]
    assert [(b["purchase_id"], b["source"]) for b in actual] == [
        ("", "file:shop.csv:2-2"), ("", "file:shop.csv:4-4"), ("536366", "file:shop.csv:3-5"),
    ]  # fmt: skip
    assert len({m.event_id for m in messages}) == 3
    assert PurchasesFile(path, lambda _: None).total == 3


def test_a_purchase_of_two_customers_is_told_and_sent_so_that_it_is_refused(tmp_path: Path) -> None:
    path = csv(tmp_path, WARMER, POLKA.replace("17850", "13047"))
    (body,) = bodies(path)
    assert body["customer_id"][:2] == ["17850", "13047"]
    # Spark takes a list for text where text is expected; the contract allows 64 characters.
    assert len(json.dumps(body["customer_id"])) > 64
    assert sentences_of(path) == [
        "shop.csv line 3, column CustomerID: found '13047', expected '17850', as the purchase began with"
    ]


def test_a_row_that_leaves_the_customer_out_contradicts_nobody(tmp_path: Path) -> None:
    path = csv(tmp_path, WARMER, POLKA.replace("17850.0", ""))
    assert bodies(path)[0]["customer_id"] == "17850"
    assert sentences_of(path) == []


def test_only_the_first_twenty_faults_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    path = csv(tmp_path, *(f"{n},A,x,none,2010-12-01 08:26:00,1,,UK" for n in range(30)))
    sentences: list[str] = []
    feed = PurchasesFile(path, sentences.append)
    assert len(list(feed.messages())) == 30
    assert len(sentences) == 21
    assert feed.figures() == {"rows": 30, "row_problems": 30}
    assert feed.closing().startswith("30 faults in rows")


def test_a_purchase_larger_than_the_contract_allows_is_sent_all_the_same(tmp_path: Path) -> None:
    (message,) = sent(csv(tmp_path, *[LANTERN] * 15_000))
    assert message.lines == 15_000
    assert len(message.value or b"") > 1_000_000


def test_memory_follows_open_purchases_each_event_leaves_with_its_last_row(tmp_path: Path) -> None:
    feed = PurchasesFile(csv(tmp_path, LANTERN, WARMER, POLKA), lambda _: None)
    messages = feed.messages()
    assert orjson.loads(next(messages).value or b"")["purchase_id"] == "536365"
    assert (feed.total, feed.rows) == (2, 3)


def test_a_file_that_changes_between_the_passes_is_noticed(tmp_path: Path) -> None:
    path = csv(tmp_path, LANTERN)
    feed = PurchasesFile(path, lambda _: None)
    csv(tmp_path, LANTERN, WARMER)
    with pytest.raises(IngestError, match="changed while it was read"):
        list(feed.messages())


MAPPING = """
delimiter = ";"
decimal_mark = ","
date_format = "%d.%m.%Y %H:%M"
timezone = "Asia/Almaty"
[columns]
purchase_id = "Чек"
product_id = "Код"
quantity = "Кол-во"
purchased_at = "Дата"
unit_price = "Цена"
seller_id = "БИН"
[constants]
currency_code = "KZT"
"""


def test_a_mapping_gives_other_names_marks_and_a_timezone(tmp_path: Path) -> None:
    mapping = tmp_path / "shop.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    path = tmp_path / "чеки.csv"
    rows = ["1;31.12.2025 23:30;010140000017;A-1;2;1250,50", "1;31.12.2025 23:30;990140000018;A-1;1;3"]
    path.write_text("\n".join(["Чек;Дата;БИН;Код;Кол-во;Цена", *rows]), encoding="windows-1251")
    first, second = bodies(path, mapping=load_mapping(mapping), encoding="windows-1251")
    assert first == {
        "purchase_id": "1",
        "purchased_at": "2025-12-31T18:30:00Z",
        "seller_id": "010140000017",
        "currency_code": "KZT",
        "lines": [{"product_id": "A-1", "quantity": 2, "unit_price": "1250.5"}],
        "source": "file:чеки.csv:2-2",
    }
    # Two sellers may count their receipts alike.
    assert (second["purchase_id"], second["seller_id"]) == ("1", "990140000018")


@pytest.mark.parametrize(
    ("mapping_text", "message"),
    [
        (MAPPING.replace("timezone", "tz"), "tz: unknown, there are columns, constants"),
        (MAPPING.replace('unit_price = "Цена"\n', ""), "unit_price is missing from columns"),
        (MAPPING.replace('currency_code = "KZT"', ""), "currency_code is missing from columns or constants"),
        (MAPPING.replace("Almaty", "Atlantis"), "timezone 'Asia/Atlantis' is unknown"),
        (MAPPING + 'seller_id = "x"\n', "seller_id stands in both columns and constants"),
        (MAPPING.replace("product_id", "product"), "columns.product: Input should be 'purchase_id'"),
        ("columns = ", "is not toml: "),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_wrong(tmp_path: Path, mapping_text: str, message: str) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(mapping_text, encoding="utf-8")
    with pytest.raises(Unreadable) as refusal:
        load_mapping(path)
    assert message in str(refusal.value)


def test_the_example_in_the_modules_docstring_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    example = (purchases_mapping.__doc__ or "").partition("    delimiter")
    path.write_text(example[1] + example[2], encoding="utf-8")
    assert set(load_mapping(path).columns.values()) == {"Receipt", "Code", "Name", "Pieces", "Date", "Price", "Card"}


def test_a_mapping_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    columns = {"purchase_id": "a", "product_id": "b", "quantity": "c", "purchased_at": "d", "unit_price": "e"}
    path.write_text(json.dumps({"columns": columns, "constants": {"seller_id": "s", "currency_code": "KZT"}}))
    text = csv(tmp_path, "1,2,3,2026-01-31,5", header="a,b,c,d,e")
    assert bodies(text, mapping=load_mapping(path))[0]["purchased_at"] == "2026-01-31T00:00:00Z"


def test_a_missing_column_is_named_with_those_that_exist(tmp_path: Path) -> None:
    path = csv(tmp_path, header=HEADER.replace("Quantity", "Qty"))
    with pytest.raises(
        Unreadable, match=r"lacks the column Quantity; its header has InvoiceNo, StockCode, Description, Qty"
    ):
        sent(path)
    with pytest.raises(Unreadable, match=r"Is ',' the right delimiter\?"):
        sent(csv(tmp_path, header=HEADER.replace(",", "~")))


@pytest.mark.skipif(not ONLINE_RETAIL_FILE.exists(), reason=f"the UCI file is not at {ONLINE_RETAIL_FILE}")
def test_the_uci_file_is_read_to_the_last_penny() -> None:
    feed = PurchasesFile(ONLINE_RETAIL_FILE, lambda _: None)
    assert (feed.total, feed.rows) == (25_900, 541_909)
    events, lines, amount = set[str](), 0, Decimal(0)
    customers = set[str]()
    for message in feed.messages():
        events.add(message.event_id)
        lines += message.lines
        amount += message.amount
        customers.add(orjson.loads(message.value or b"").get("customer_id", ""))
    assert (len(events), lines, feed.problems) == (25_900, 541_909, 0)
    assert amount == Decimal("9747747.934")
    assert len(customers - {""}) == 4_372


@pytest.mark.parametrize("name", ["Чайник ", "Cafe\u0301", "", "  ", "Tea"])
@pytest.mark.parametrize("row", [LANTERN, LANTERN.replace(",6,", ",1 000,"), LANTERN.replace(",6,", ",abc,"), DEBT])
def test_the_short_way_to_an_id_is_the_contracts(tmp_path: Path, name: str, row: str) -> None:
    (message,) = sent(csv(tmp_path, row.replace("WHITE METAL LANTERN", name).replace("71053", f"{name}1")))
    content = CONTENT.of(orjson.loads(message.value or b""))
    assert message.event_id == content_id("purchase", written(content))
