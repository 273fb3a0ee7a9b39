"""The rival of the collector: the loop that one writes first. ``python -m bench.rival_requests URL TOPIC PATH…``

One request after another with `requests`, each row as JSON to Kafka. It keeps no place to go on from, looks at no field
and repeats nothing that fails.
"""

from __future__ import annotations

import json
import sys
import time

import requests

from conf import settings
from conf.connect import kafka_producer, producer_config
from conf.domains.procurement import ProcurementSettings


def main(url: str, topic: str, paths: list[str]) -> None:
    chosen = ProcurementSettings.of(settings())
    producer = kafka_producer(producer_config(chosen))
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {chosen.goszakup_secret}"
    began, rows = time.monotonic(), 0
    for path in paths:
        page = f"{path}?limit={chosen.goszakup_page_limit}"
        while page:
            answer = session.get(url + page, timeout=60)
            answer.raise_for_status()
            answered = answer.json()
            for row in answered["items"]:
                while True:
                    try:
                        producer.produce(topic, json.dumps(row, ensure_ascii=False).encode(), key=str(row.get("id")))
                        break
                    except BufferError:
                        producer.poll(0.1)
                rows += 1
            producer.poll(0)
            page = answered["next_page"]
    producer.flush()
    print(json.dumps({"rows": rows, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
