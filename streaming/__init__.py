"""From Kafka to the lake and to ClickHouse: one process, two lanes."""
