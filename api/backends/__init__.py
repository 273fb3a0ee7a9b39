"""PostgreSQL, ClickHouse and Kafka, and what the API keeps of them in memory."""
