"""The shop's database filled, and its customers and products brought to the stage area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.errors import Failed
from infra.local.start.run import DomainStep, Run
from infra.local.start.summary import Chapter
from infra.local.steps import Say, Step

SOURCE_PARTS = ("postgres", "minio")
CUSTOMERS, PRODUCTS = "Customers from PostgreSQL to S3", "Products to S3"
CHAPTERS = (Chapter(40, CUSTOMERS, (CUSTOMERS,)), Chapter(60, "products.parquet to S3", (PRODUCTS,)))
FILE = "products.parquet"


def demo_steps(run: Run) -> list[DomainStep]:
    def seed(_: Say) -> None:
        run.ingest("Seeding the shop", "shop.seed")

    def customers(_: Say) -> str:
        return f"{run.ingest('Extracting customers', 'shop.customers')['changed']:,} changed"

    def products(_: Say) -> str:
        return staged_products(run.ingest("Staging products", "shop.products", "--simulated", "7"))

    return [
        DomainStep(Step("Shop seeded", seed, after=("Shop's tables",))),
        DomainStep(Step(CUSTOMERS, customers, after=("Shop seeded", "Bucket")), feeds_nightly=True),
        DomainStep(Step(PRODUCTS, products, after=("Bucket",)), feeds_nightly=True),
    ]


def staged_products(account: Mapping[str, Any]) -> str:
    """What became of the simulated file, by the account of `shop.products`; others may have waited beside it."""
    outcome = next((each for each in account["files"] if each["file"] == FILE), None)
    if outcome is None:
        raise Failed(f"{FILE} was dropped into the bucket, and shop.products did not report it.")
    rows = f"{outcome['rows']:,} rows"
    return f"{FILE}, {'taken before' if outcome['became'] == 'seen' else rows}"
