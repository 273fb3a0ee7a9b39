"""How a file of purchases names its columns and writes its values: a small file says it, in TOML or JSON.

The default fits the UCI Online Retail file. Every key is documented in docs/reference/mapping.md; an example:

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
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.core.errors import Unreadable
from ingestion.files.instants import EXCEL, ISO

PurchaseField = Literal[
    "purchase_id", "product_id", "description", "quantity", "purchased_at", "unit_price", "customer_id", "seller_id",
    "currency_code", "line_amount", "status",
]  # fmt: skip
Constant = Literal[
    "product_id", "description", "quantity", "purchased_at", "unit_price", "customer_id", "seller_id", "currency_code",
]  # fmt: skip
FIELDS: tuple[PurchaseField, ...] = get_args(PurchaseField)
NEEDED: tuple[PurchaseField, ...] = (
    "purchase_id", "product_id", "quantity", "purchased_at", "unit_price", "seller_id", "currency_code",
)  # fmt: skip
Character = Annotated[str, Field(min_length=1, max_length=1)]


def _texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_texts)]
ConstantText = Annotated[str, Field(min_length=1), BeforeValidator(_text)]


class Mapping(BaseModel):
    """`columns` and `constants` are keyed by our field names.

    `date_format` is "iso", "excel" or a format of strptime; several are tried in turn. `timezone` is that of dates that
    name none themselves. `point_zero` lists the fields whose whole numbers some program has written as decimals
    ("17850.0"): the ending is cut. `fill_down` lists fields whose empty cells mean what stands above. `skip` gives a
    column's values whose rows are left out. What is not said about the file's form (encoding, delimiter, header line,
    decimal mark, sheet) is told from the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[PurchaseField, Annotated[str, Field(min_length=1)] | Texts]
    constants: dict[Constant, ConstantText] = {}
    date_format: Texts = (ISO,)
    timezone: str = "UTC"
    delimiter: Character | None = None
    decimal_mark: Literal[".", ","] | None = None
    point_zero: tuple[Literal["purchase_id", "product_id", "customer_id"], ...] = ("customer_id",)
    fill_down: tuple[PurchaseField, ...] = ()
    skip: dict[str, Texts] = {}
    encoding: str = ""
    header_line: Annotated[int, Field(ge=1)] | None = None
    sheet: str = ""

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            "".encode(name or "utf-8")
        except LookupError:
            raise ValueError(f"{name!r} is unknown; utf-8, windows-1251 and latin-1 are among the known") from None
        return name

    @field_validator("date_format", mode="before")
    @classmethod
    def _chosen(cls, value: Any) -> Any:
        if value in ("", []):
            raise ValueError(
                'nothing is chosen; a format such as "%d/%m/%Y %H:%M" (day first) or "%m/%d/%Y %H:%M" was expected'
            )
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name in NEEDED:
            if name not in self.columns and name not in self.constants:
                if name == "unit_price" and "line_amount" in self.columns:
                    continue
                where = "columns" if name == "purchase_id" else "columns or constants"
                raise ValueError(f"{name} is missing from {where}")
        both = sorted(self.columns.keys() & self.constants.keys())
        if both:
            raise ValueError(f"{both[0]} stands in both columns and constants")
        if "unit_price" in self.columns and "line_amount" in self.columns:
            raise ValueError("both unit_price and line_amount stand in columns: one of them is enough")
        joined = sorted(name for name in self.columns if len(self.names_of(name)) != 1 and name != "purchased_at")
        if joined:
            raise ValueError(f"columns.{joined[0]}: one column was expected; only purchased_at may be made of several")
        try:
            zoneinfo.ZoneInfo(self.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"timezone {self.timezone!r} is unknown; one like Asia/Almaty was expected") from None
        return self

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of all columns that the file must have."""
        return tuple(dict.fromkeys(name for field in self.columns for name in self.names_of(field)))

    def names_of(self, field: PurchaseField) -> tuple[str, ...]:
        """The file's columns that make a field."""
        named = self.columns.get(field, ())
        return (named,) if isinstance(named, str) else named


ONLINE_RETAIL = Mapping(
    columns={
        "purchase_id": "InvoiceNo", "product_id": "StockCode", "description": "Description", "quantity": "Quantity",
        "purchased_at": "InvoiceDate", "unit_price": "UnitPrice", "customer_id": "CustomerID",
    },
    constants={"seller_id": "online-retail-uk", "currency_code": "GBP"},
    date_format=("%Y-%m-%d %H:%M:%S",),
)  # fmt: skip


def load_mapping(path: Path) -> Mapping:
    """Read a mapping from TOML or, where the name ends in .json, JSON. Raises Unreadable with what is wrong in it."""
    try:
        text = path.read_text("utf-8-sig")
        read = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        return Mapping.model_validate(read)
    except OSError as problem:
        raise Unreadable(f"The mapping {path} cannot be read: {problem.strerror}.") from None
    except ValidationError as problem:
        raise Unreadable(
            f"The mapping {path.name}: {'; '.join(_sentences(problem))}. docs/reference/mapping.md has every key."
        ) from None
    except ValueError as problem:
        raise Unreadable(f"The mapping {path.name} is not {path.suffix.lstrip('.') or 'TOML'}: {problem}.") from None


def _sentences(problem: ValidationError) -> list[str]:
    faults = []
    for error in problem.errors():
        place = ".".join(str(part) for part in error["loc"] if part != "[key]")
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = f"unknown, there are {', '.join(Mapping.model_fields)}"
        elif error["type"] == "string_too_short":
            message = "it is empty, and must be filled in"
        faults.append(f"{place}: {message}" if place else message)
    return faults


__all__ = ["EXCEL", "FIELDS", "ISO", "ONLINE_RETAIL", "Mapping", "PurchaseField", "load_mapping"]
