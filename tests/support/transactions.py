"""A shop's program that sends its purchases in Kafka's transactions."""

from __future__ import annotations

import json
import secrets

from confluent_kafka import Producer

from conf import Settings
from conf.connect import producer_config

TOPIC = "purchases"
RIGHT, WRONG = 600, 999
"""What `TransactingShop.change_its_mind` comes to, and the amount that it takes back."""


class TransactingShop:
    """One seller, and the producer that is his."""

    def __init__(self, settings: Settings) -> None:
        self.seller = f"transactions-{secrets.token_hex(3)}"
        login = producer_config(settings) | {"delivery.timeout.ms": 20_000}
        self.producer = Producer(login | {"transactional.id": self.seller})
        self.producer.init_transactions(30)

    def send(self, purchase: str, event: str, price: int, by: Producer | None = None, **place: int) -> None:
        """One piece at this price, by the shop's own producer or another."""
        value = {
            "purchase_id": f"{self.seller}-{purchase}", "purchased_at": "2026-11-22T09:30:00Z",
            "seller_id": self.seller, "currency_code": "KZT",
            "lines": [{"product_id": "P1", "quantity": 1, "unit_price": price}],
        }  # fmt: skip
        headers = {"id": f"{self.seller}-{event}", "type": "purchase", "source": "shop", "specversion": "1.0"}
        given = [(f"ce_{name}", text.encode()) for name, text in headers.items()]
        body = json.dumps(value).encode()
        (by or self.producer).produce(TOPIC, body, key=self.seller.encode(), headers=given, **place)

    def change_its_mind(self) -> None:
        """An order of 100; one that is taken back, and sent again at a corrected price: 600 in all."""
        self.commit("a", "1", RIGHT - 500)
        self.take_back("b", "2", WRONG)
        self.commit("b", "3", 500)

    def commit(self, purchase: str, event: str, price: int) -> None:
        self.producer.begin_transaction()
        self.send(purchase, event, price)
        self.producer.commit_transaction()

    def take_back(self, purchase: str, event: str, price: int) -> None:
        """Kafka has the event, and that it does not hold."""
        self.producer.begin_transaction()
        self.send(purchase, event, price)
        self.producer.flush()
        self.producer.abort_transaction()
