"""What the API reads from and writes to: PostgreSQL, ClickHouse, Kafka, and what it keeps in memory of them."""
