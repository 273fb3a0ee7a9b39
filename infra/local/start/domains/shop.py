"""The shop's database filled, and its customers and products brought to the stage area."""

from __future__ import annotations

from infra.local.start import summary
from infra.local.start.run import DomainStep, Run
from infra.local.steps import Say, Step


def steps(run: Run) -> list[DomainStep]:
    def seed(_: Say) -> None:
        run.ingest("Seeding the shop", "shop.seed")

    def customers(_: Say) -> str:
        return f"{run.ingest('Extracting customers', 'shop.customers')['changed']:,} changed"

    def products(_: Say) -> str:
        return summary.products(run.ingest("Staging products", "shop.products", "--simulated", "7"))

    return [
        DomainStep(Step("Shop seeded", seed, after=("Shop's tables",))),
        DomainStep(Step(summary.CUSTOMERS, customers, after=("Shop seeded", "Bucket")), feeds_nightly=True),
        DomainStep(Step(summary.PRODUCTS, products, after=("Bucket",)), feeds_nightly=True),
    ]
