"""The shop's customers and products, daily: from PostgreSQL and from dropped files to the stage, and from there loaded.
What the API changed of products comes by the topic of the database's changes.

The night of purchases waits for it, since its categories are those of these products. Where it fails, the night takes
the versions that are there.
"""

from __future__ import annotations

from airflow.sdk import Asset, dag

from dags.command import DEFAULTS, NO_BACKFILL, Command, reconcile
from schemas.shop import TOPIC

DOMAIN = "shop"


@dag(
    schedule="30 23 * * *",
    catchup=False,
    max_active_runs=1,
    allowed_run_types=NO_BACKFILL,
    default_args=DEFAULTS,
    tags=[DOMAIN],
    doc_md=__doc__,
)
def shop_nightly() -> None:
    """Customers are compared with all that PostgreSQL holds, so that deleted ones are found too."""
    customers = Command(
        task_id="customers", module="ingestion.core.run", arguments=["shop.customers", "--full-check", "--json"]
    )
    products = Command(task_id="products", module="ingestion.core.run", arguments=["shop.products", "--json"])
    # Products that the API changed come by the topic.
    settle = Command(task_id="settle", module="jobs.commands.settle", arguments=[TOPIC])
    load = Command(task_id="load", module="jobs.commands.run", arguments=[DOMAIN, "--json"], domain=DOMAIN)
    shown = [Asset(f"sauda://silver/{DOMAIN}")]
    [customers, products, settle] >> load >> reconcile(DOMAIN, outlets=shown)


shop_nightly()
