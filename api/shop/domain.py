"""What the shop adds to the API."""

from __future__ import annotations

from api.backends.backends import Backends
from api.domain import Domain
from api.shop.entities import catalogue
from api.shop.relay import Backlog, Relay
from api.shop.service import Catalogue, Catalogues


def _open(backends: Backends) -> None:
    relay = Relay(backends.settings, backends.patient_producer, backends.metrics)
    backlog = Backlog(backends.postgres, backends.metrics)
    backends.tasks += [relay.run, backlog.run]
    backends.details["outbox"] = backlog.described
    by_plural = {plural: Catalogue(backends.postgres, entity) for plural, entity in catalogue().items()}
    backends.provide(Catalogues(by_plural, relay.wake, backends.key_caches))


DOMAIN = Domain(
    "shop",
    open=_open,
    tags={"catalogue": "Sellers, products and customers. Every change is sent to Kafka, once."},
    scopes={"write:catalogue": "create, change and delete sellers, products and customers"},
)
