"""The rival of the nights: the same tables by DuckDB, from the same files, in a process of its own.

It is given what makes Spark fast too: whole numbers for money and ids, and one pass that makes lines into purchases,
from which four tables are made. Results are written as Parquet, as Spark writes them into Delta.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

MONEY = "CAST(CAST({0} AS DECIMAL(30, 0)) * CAST(0.0001 AS DECIMAL(4, 4)) AS DECIMAL(18, 4))"
MEASURES = """
    count(*) FILTER (NOT is_return) AS sold_lines,
    count(*) FILTER (is_return) AS returned_lines,
    coalesce(sum(quantity) FILTER (NOT is_return), 0) AS sold_count,
    coalesce(-sum(quantity) FILTER (is_return), 0) AS returned_count,
    coalesce(sum(line_units) FILTER (NOT is_return), 0) AS sales_units,
    coalesce(-sum(line_units) FILTER (is_return), 0) AS returns_units"""
SALES = f"""
    count(*) FILTER (sold_lines > 0) AS order_count,
    CAST(sum(sold_lines + returned_lines) AS BIGINT) AS line_count,
    CAST(sum(sold_count) AS BIGINT) AS sold_count,
    CAST(sum(returned_count) AS BIGINT) AS returned_count,
    {MONEY.format("sum(sales_units)")} AS sales_amount,
    {MONEY.format("sum(returns_units)")} AS returns_amount,
    {MONEY.format("(sum(sales_units) - sum(returns_units))")} AS revenue_amount"""

PURCHASES = f"""
SELECT event_hash, seller_id, sold_on, currency_code, customer_id, purchased_at, {MEASURES}
FROM lines GROUP BY ALL"""

PERIODS = """
    ('day', CAST(sold_on AS DATE)), ('week', CAST(date_trunc('week', sold_on) AS DATE)),
    ('month', CAST(date_trunc('month', sold_on) AS DATE))"""

TABLES = {
    "gold.purchases_seller_daily": f"""
SELECT seller_id, sold_on, currency_code, {SALES}, count(DISTINCT customer_id) AS customer_count
FROM purchases GROUP BY ALL""",
    "gold.purchases_hourly": f"""
SELECT seller_id, date_trunc('hour', purchased_at) AS hour_at, sold_on, currency_code, {SALES}
FROM purchases GROUP BY ALL""",
    "gold.purchases_customers": f"""
SELECT customer_id, currency_code, {SALES}, count(*) FILTER (returned_lines > 0) AS return_count,
    min(purchased_at) AS first_purchased_at, max(purchased_at) AS last_purchased_at
FROM purchases WHERE customer_id IS NOT NULL GROUP BY ALL""",
    "gold.purchases_basket_daily": f"""
SELECT seller_id, sold_on, currency_code, count(*) AS basket_count, CAST(sum(sold_lines) AS BIGINT) AS line_count,
    CAST(sum(sold_count) AS BIGINT) AS sold_count, {MONEY.format("sum(sales_units)")} AS sales_amount,
    sum(sold_lines) / count(*) AS mean_lines, median(sold_lines) AS median_lines,
    {MONEY.format("((2 * sum(sales_units) + count(*)) // (2 * count(*)))")} AS mean_amount,
    {MONEY.format("quantile_disc(sales_units, 0.5)")} AS median_amount,
    {MONEY.format("max(sales_units)")} AS largest_amount
FROM purchases WHERE sold_lines > 0 GROUP BY ALL""",
    "gold.purchases_product_daily": f"""
SELECT seller_id, product_id, sold_on, currency_code, {SALES}
FROM (SELECT event_hash, seller_id, product_id, sold_on, currency_code, {MEASURES} FROM lines GROUP BY ALL)
GROUP BY ALL""",
    "gold.purchases_products": """
SELECT * FROM (
    SELECT seller_id, product_id, currency_code, CAST(sum(order_count) AS BIGINT) AS order_count,
        CAST(sum(line_count) AS BIGINT) AS line_count, CAST(sum(sold_count) AS BIGINT) AS sold_count,
        CAST(sum(returned_count) AS BIGINT) AS returned_count,
        CAST(sum(sales_amount) AS DECIMAL(18, 4)) AS sales_amount,
        CAST(sum(returns_amount) AS DECIMAL(18, 4)) AS returns_amount,
        CAST(sum(revenue_amount) AS DECIMAL(18, 4)) AS revenue_amount,
        min(sold_on) AS first_sold_on, max(sold_on) AS last_sold_on
    FROM "gold.purchases_product_daily" GROUP BY ALL)
LEFT JOIN (
    SELECT seller_id, product_id, struct_extract(max({'place': named_at, 'name': description}), 'name') AS description
    FROM (SELECT seller_id, product_id, description, max(purchased_at) AS named_at FROM lines
          WHERE description IS NOT NULL GROUP BY ALL)
    GROUP BY ALL) USING (seller_id, product_id)""",
    "gold.purchases_category_daily": f"""
SELECT category_name, seller_id, sold_on, currency_code, {SALES}
FROM (SELECT event_hash, seller_id, sold_on, currency_code, coalesce(category, 'unknown') AS category_name, {MEASURES}
      FROM lines LEFT JOIN (
          SELECT product_id, category_name AS category, CAST(valid_from AS DATE) AS from_on,
              coalesce(CAST(valid_to AS DATE), DATE '9999-12-31') AS before_on FROM products) AS versions
      ON versions.product_id = lines.product_id AND sold_on >= from_on AND sold_on < before_on GROUP BY ALL)
GROUP BY ALL""",
    "gold.purchases_customer_daily": f"""
SELECT customer_id, seller_id, sold_on, currency_code, {SALES}
FROM purchases WHERE customer_id IS NOT NULL GROUP BY ALL""",
    "gold.purchases_seller_periods": f"""
SELECT period_kind, period_started_on, seller_id, currency_code, {SALES},
    sum(sold_lines) / count(*) FILTER (sold_lines > 0) AS mean_lines,
    median(sold_lines) FILTER (sold_lines > 0) AS median_lines,
    {MONEY.format("((2 * sum(sales_units) + order_count) // (2 * order_count))")} AS mean_amount,
    {MONEY.format("(quantile_disc(sales_units, 0.5) FILTER (sold_lines > 0))")} AS median_amount,
    {MONEY.format("(max(sales_units) FILTER (sold_lines > 0))")} AS largest_amount
FROM (SELECT p.* EXCLUDE (seller_id), s.seller_id, k.period_kind, k.period_started_on
      FROM purchases AS p, LATERAL (VALUES (p.seller_id), ('')) AS s(seller_id),
          LATERAL (VALUES {PERIODS}) AS k(period_kind, period_started_on))
GROUP BY ALL""",
    "gold.purchases_repeat_periods": f"""
WITH days AS (
    SELECT customer_id, s.seller_id AS seller_id, sold_on, CAST(sum(order_count) AS BIGINT) AS orders
    FROM "gold.purchases_customer_daily" AS c, LATERAL (VALUES (c.seller_id), ('')) AS s(seller_id)
    WHERE order_count > 0 GROUP BY ALL),
counted AS (
    SELECT period_kind, period_started_on, seller_id, count(*) AS active, count(*) FILTER (orders >= 2) AS again,
        sum(orders) AS orders, min(first_on) AS first_on
    FROM (SELECT k.period_kind, k.period_started_on, seller_id, customer_id, sum(orders) AS orders,
              min(sold_on) AS first_on
          FROM days, LATERAL (VALUES {PERIODS}, ('all', DATE '1970-01-01')) AS k(period_kind, period_started_on)
          GROUP BY ALL) GROUP BY ALL),
fresh AS (
    SELECT k.period_kind, k.period_started_on, seller_id, count(*) AS new
    FROM (SELECT seller_id, customer_id, min(sold_on) AS sold_on FROM days GROUP BY ALL),
        LATERAL (VALUES {PERIODS}, ('all', DATE '1970-01-01')) AS k(period_kind, period_started_on) GROUP BY ALL)
SELECT period_kind, IF(period_kind = 'all', first_on, period_started_on) AS period_started_on, seller_id,
    active AS active_customer_count, again AS repeat_customer_count, coalesce(new, 0) AS new_customer_count,
    CAST(orders AS BIGINT) AS known_order_count, CAST(orders AS BIGINT) - coalesce(new, 0) AS returning_order_count,
    100 * again / active AS repeat_rate_pct, 100 * (orders - coalesce(new, 0)) / orders AS returning_order_pct,
    (SELECT max(sold_on) FROM "gold.purchases_seller_daily") AS as_of_on
FROM counted LEFT JOIN fresh USING (period_kind, period_started_on, seller_id)""",
    "gold.purchases_revenue_anomalies": """
WITH days AS (
    SELECT seller_id, sold_on, currency_code, revenue_amount, CAST(revenue_amount AS DOUBLE) AS revenue,
        row_number() OVER series - 1 AS earlier, dayofweek(sold_on) AS weekday,
        CASE WHEN row_number() OVER series > 7 THEN median(CAST(revenue_amount AS DOUBLE)) OVER (
            PARTITION BY seller_id, currency_code ORDER BY sold_on
            ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) END AS level
    FROM "gold.purchases_seller_daily"
    WINDOW series AS (PARTITION BY seller_id, currency_code ORDER BY sold_on)),
seasonal AS (
    SELECT *, median(revenue - level) OVER (PARTITION BY seller_id, currency_code, weekday ORDER BY sold_on
        ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING) AS effect FROM days),
distances AS (
    SELECT *, median(abs(revenue - level - effect)) OVER (PARTITION BY seller_id, currency_code ORDER BY sold_on
        ROWS BETWEEN 56 PRECEDING AND 1 PRECEDING) AS found FROM seasonal),
judged AS (
    SELECT *, CASE WHEN earlier >= 28 AND found IS NOT NULL THEN level + coalesce(effect, 0) END AS expected,
        greatest(found, abs(level) * 0.01, 0.0001) AS spread, spread * (3.5 / 0.6745) AS reach FROM distances)
SELECT seller_id, sold_on, currency_code, revenue_amount, CAST(round(expected, 4) AS DECIMAL(18, 4)) AS expected_amount,
    CAST(round(expected - reach, 4) AS DECIMAL(18, 4)) AS low_amount,
    CAST(round(expected + reach, 4) AS DECIMAL(18, 4)) AS high_amount,
    coalesce(0.6745 * (revenue - expected) / spread, 0) AS score,
    coalesce(abs(revenue - expected) > reach, false) AS is_anomaly,
    CASE WHEN expected IS NULL THEN 'too_little_history' ELSE 'robust_z' END AS rule FROM judged""",
}


def main(folder: str, products: str, out: str, threads: str, memory: str, rounds: str) -> None:
    """Make all tables of the lines in `folder`, with the catalogue in `products`; one line of JSON a round."""
    import duckdb
    from deltalake import DeltaTable

    files, catalogue = DeltaTable(folder).file_uris(), DeltaTable(products).file_uris()
    for number in range(int(rounds)):
        began, spent = time.time(), {}
        base = duckdb.connect(
            config={"threads": int(threads), "memory_limit": memory, "temp_directory": out + "/spill"}
        )
        base.execute("SET TimeZone = 'UTC'")
        base.execute(f"CREATE VIEW lines AS SELECT * FROM read_parquet({files!r})")
        base.execute(f"CREATE VIEW products AS SELECT * FROM read_parquet({catalogue!r})")
        since = time.time()
        base.execute(f"CREATE TEMP TABLE purchases AS {PURCHASES}")
        spent["purchases"] = time.time() - since
        for name, sql in TABLES.items():
            since = time.time()
            base.execute(f'CREATE TEMP TABLE "{name}" AS {sql}')
            target = Path(out) / f"{name}.parquet"
            base.execute(f"COPY \"{name}\" TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
            spent[name] = time.time() - since
        base.close()
        print(
            json.dumps({"round": number, "began": began, "ended": time.time(), "spent": spent}),
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
