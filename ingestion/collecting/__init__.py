"""What every client of an HTTP API needs: pace, retries, pages on their way to Kafka, and state between runs."""
