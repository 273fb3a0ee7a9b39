"""The shop: customers, sellers and products, in its own database and in the lake."""

TOPIC = "shop-changes"
