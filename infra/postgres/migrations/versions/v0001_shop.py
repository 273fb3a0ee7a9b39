"""Customers, sellers, products, API keys, and the outbox that a trigger fills."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE SCHEMA IF NOT EXISTS shop;

CREATE TABLE shop.customers (
  customer_id text PRIMARY KEY CHECK (customer_id <> ''),
  name text NOT NULL,
  email text,
  phone text,
  address text,
  city_name text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE shop.sellers (
  seller_id text PRIMARY KEY CHECK (seller_id <> ''),
  name text NOT NULL,
  city_name text,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE shop.products (
  product_id text PRIMARY KEY CHECK (product_id <> ''),
  seller_id text NOT NULL REFERENCES shop.sellers,
  name text NOT NULL,
  category_name text,
  price_amount numeric(18, 4) NOT NULL CHECK (price_amount >= 0),
  currency_code text NOT NULL,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What the extract to the lake asks for.
CREATE INDEX ON shop.customers (updated_at);
CREATE INDEX ON shop.sellers (updated_at);
CREATE INDEX ON shop.products (updated_at);
-- Lists of the API.
CREATE INDEX ON shop.products (seller_id, product_id);
CREATE INDEX ON shop.products (category_name, product_id);

CREATE TABLE shop.api_keys (
  key_id text PRIMARY KEY,
  key_hash bytea NOT NULL UNIQUE,
  name text NOT NULL,
  scopes text[] NOT NULL,
  rate_per_minute integer NOT NULL CHECK (rate_per_minute > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);

CREATE TABLE shop.outbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  topic text NOT NULL,
  key text NOT NULL,
  event_type text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

# By the clock and not by the transaction's start: two changes in one transaction have an order.
TOUCH = """
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$
"""

# Arguments: the entity, its key column, and the columns that tell of a person, which no event may carry.
ANNOUNCE = """
CREATE FUNCTION shop.announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entity constant text := TG_ARGV[0];
  told jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
  action constant text := CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END;
BEGIN
  told := (told - TG_ARGV[2:]) || jsonb_build_object('entity', entity, 'changed_at', clock_timestamp());
  INSERT INTO shop.outbox (topic, key, event_type, payload)
  VALUES ('shop-changes', entity || ':' || (told ->> TG_ARGV[1]), 'shop.' || entity || '.' || action, told);
  RETURN NULL;
END $$
"""

TRIGGERS = """
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON shop.{table} FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON shop.{table}
  FOR EACH ROW EXECUTE FUNCTION shop.announce({arguments});
"""
ANNOUNCED = {
    "customers": "'customer', 'customer_id', 'name', 'email', 'phone', 'address'",
    "sellers": "'seller', 'seller_id'",
    "products": "'product', 'product_id'",
}


def upgrade() -> None:
    """Make everything."""
    for statement in (TABLES, TOUCH, ANNOUNCE):
        op.execute(statement)
    for table, arguments in ANNOUNCED.items():
        op.execute(TRIGGERS.format(table=table, arguments=arguments))


def downgrade() -> None:
    """Remove everything, the rows too."""
    op.execute("DROP SCHEMA shop CASCADE")
