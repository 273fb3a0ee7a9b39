"""The shop's entities on their way to the stage area: customers from PostgreSQL, products from files."""
