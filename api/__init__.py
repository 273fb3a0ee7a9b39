"""The REST API: what people and programs write to and read from."""
