"""What purchases add to the API."""

from __future__ import annotations

from api.backends.backends import Backends
from api.domain import Domain, Figures
from api.purchases.analytics import QUESTIONS
from api.purchases.live_document import members
from api.purchases.live_queries import SalesFigures
from api.purchases.service import Purchases
from api.purchases.versions import Versions


def _open(backends: Backends) -> None:
    versions = Versions(backends.warehouse)
    backends.tasks.append(versions.run)
    backends.provide(
        Purchases(
            backends.producer, backends.key_cache("shop.sellers", "seller_id"), backends.idempotency, versions,
            backends.metrics, backends.settings.secrets.receipt,
        )
    )  # fmt: skip


DOMAIN = Domain(
    "purchases",
    open=_open,
    tags={"purchases": "Send purchases, and see what became of them."},
    scopes={"write:purchases": "send purchases"},
    questions=QUESTIONS,
    figures=(Figures("sales", lambda backends: SalesFigures(backends.warehouse), members),),
)
