"""How a file of purchases names its columns: the default fits the UCI Online Retail file, a small file changes it.

All that a mapping may say, in TOML (customer_id and description may be missing):

    delimiter = ";"
    decimal_mark = ","
    date_format = "%d.%m.%Y %H:%M"
    timezone = "Asia/Almaty"
    point_zero = ["customer_id"]
    [columns]
    purchase_id = "Receipt"
    product_id = "Code"
    description = "Name"
    quantity = "Pieces"
    purchased_at = "Date"
    unit_price = "Price"
    customer_id = "Card"
    [constants]
    seller_id = "my-shop"
    currency_code = "KZT"
"""

from __future__ import annotations

import json
import tomllib
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.errors import Unreadable

PurchaseField = Literal[
    "purchase_id", "product_id", "description", "quantity", "purchased_at", "unit_price", "customer_id", "seller_id",
    "currency_code",
]  # fmt: skip
FIELDS: tuple[PurchaseField, ...] = get_args(PurchaseField)
NEEDED: tuple[PurchaseField, ...] = (
    "purchase_id", "product_id", "quantity", "purchased_at", "unit_price", "seller_id", "currency_code",
)  # fmt: skip
ISO = "iso"
Character = Annotated[str, Field(min_length=1, max_length=1)]


class Mapping(BaseModel):
    """`columns` and `constants` are keyed by our field names. `date_format` is "iso" or a format of strptime.

    `timezone` is that of dates that name none themselves. `point_zero` lists the fields whose whole numbers some
    program has written as decimals ("17850.0"): the ending is cut.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[PurchaseField, str]
    constants: dict[Literal["seller_id", "currency_code"], Annotated[str, Field(min_length=1)]] = {}
    date_format: str = ISO
    timezone: str = "UTC"
    delimiter: Character = ","
    decimal_mark: Literal[".", ","] = "."
    point_zero: tuple[Literal["purchase_id", "product_id", "customer_id"], ...] = ("customer_id",)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name in NEEDED:
            if name not in self.columns and name not in self.constants:
                where = "columns or constants" if name in ("seller_id", "currency_code") else "columns"
                raise ValueError(f"{name} is missing from {where}")
        both = sorted(self.columns.keys() & self.constants.keys())
        if both:
            raise ValueError(f"{both[0]} stands in both columns and constants")
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {self.timezone!r} is unknown; one like Asia/Almaty was expected") from None
        return self

    def positions(self, header: Sequence[str], file: str) -> dict[PurchaseField, int]:
        """Where each mapped column stands. Raises Unreadable, naming what is missing and what there is."""
        names = [name.strip() for name in header]
        missing = [column for column in self.columns.values() if column not in names]
        if missing:
            hint = "" if len(names) > 1 else f" Is {self.delimiter!r} the right delimiter?"
            raise Unreadable(
                f"{file} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; its header has "
                f"{', '.join(names)}.{hint} Other names are given by --mapping FILE."
            )
        doubled = [column for column in self.columns.values() if names.count(column) > 1]
        if doubled:
            raise Unreadable(f"{file} has the column {doubled[0]} more than once.")
        return {name: names.index(column) for name, column in self.columns.items()}


ONLINE_RETAIL = Mapping(
    columns={
        "purchase_id": "InvoiceNo", "product_id": "StockCode", "description": "Description", "quantity": "Quantity",
        "purchased_at": "InvoiceDate", "unit_price": "UnitPrice", "customer_id": "CustomerID",
    },
    constants={"seller_id": "online-retail-uk", "currency_code": "GBP"},
    date_format="%Y-%m-%d %H:%M:%S",
)  # fmt: skip


def load_mapping(path: Path) -> Mapping:
    """Read a mapping from TOML or, where the name ends in .json, JSON. Raises Unreadable with what is wrong in it."""
    try:
        text = path.read_text("utf-8-sig")
        told = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        return Mapping.model_validate(told)
    except OSError as problem:
        raise Unreadable(f"The mapping {path} cannot be read: {problem.strerror}.") from None
    except ValidationError as problem:
        raise Unreadable(f"The mapping {path.name}: {'; '.join(_sentences(problem))}.") from None
    except ValueError as problem:
        raise Unreadable(f"The mapping {path.name} is not {path.suffix.lstrip('.') or 'TOML'}: {problem}.") from None


def _sentences(problem: ValidationError) -> list[str]:
    said = []
    for error in problem.errors():
        place = ".".join(str(part) for part in error["loc"] if part != "[key]")
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = f"unknown, there are {', '.join(Mapping.model_fields)}"
        said.append(f"{place}: {message}" if place else message)
    return said
