"""Exchange rates of the National Bank of Kazakhstan, daily, before the night of purchases.

The last days are asked for again, since a rate may be published anew. Where the bank does not answer, this run is red
and says so, and the night goes on: the last known rates hold for SAUDA_RATE_DAYS days, and what has no rate is counted
(gold.unconverted_sales).
"""

from __future__ import annotations

from airflow.sdk import Asset, dag

from dags.command import DEFAULTS, NO_BACKFILL, Command, reconcile
from schemas.rates import TOPIC

DOMAIN = "rates"


@dag(
    schedule="0 23 * * *",
    catchup=False,
    max_active_runs=1,
    allowed_run_types=NO_BACKFILL,
    default_args=DEFAULTS,
    tags=[DOMAIN],
    doc_md=__doc__,
)
def rates_daily() -> None:
    """Asked for when the bank has long published the next day's."""
    # One try more and no others: the night of purchases waits for this run, and yesterday's rates will do for it.
    collect = Command(task_id="collect", module="ingestion.core.run", arguments=["rates.nbk", "--json"], retries=1)
    shown = [Asset(f"sauda://silver/{DOMAIN}")]
    settle = Command(task_id="settle", module="jobs.commands.settle", arguments=[TOPIC], outlets=shown)
    collect >> settle >> reconcile(DOMAIN)


rates_daily()
