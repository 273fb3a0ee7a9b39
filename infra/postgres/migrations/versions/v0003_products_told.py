"""Events of products say the product's name too, and every product is told once: the lake keeps their history."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# By a name of its own: `name` is a person's where the entity is a customer, and no reader of the topic may look for it.
ANNOUNCE = """
CREATE OR REPLACE FUNCTION shop.announce() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entity constant text := TG_ARGV[0];
  told jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
  action constant text := CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END;
BEGIN
  IF entity = 'product' THEN
    told := told || jsonb_build_object('product_name', told -> 'name');
  END IF;
  told := (told - TG_ARGV[2:]) || jsonb_build_object('entity', entity, 'changed_at', clock_timestamp());
  INSERT INTO shop.outbox (topic, key, event_type, payload)
  VALUES ('shop-changes', entity || ':' || (told ->> TG_ARGV[1]), 'shop.' || entity || '.' || action, told);
  RETURN NULL;
END $$
"""

# As of its last change: nothing happens to a product now.
TELL = """
INSERT INTO shop.outbox (topic, key, event_type, payload)
SELECT 'shop-changes', 'product:' || product_id, 'shop.product.changed',
  to_jsonb(p) || jsonb_build_object('product_name', name, 'entity', 'product', 'changed_at', updated_at)
FROM shop.products AS p ORDER BY updated_at
"""


def upgrade() -> None:
    """Say more from now on, and of what is there."""
    op.execute(ANNOUNCE)
    op.execute(TELL)


def downgrade() -> None:
    """Nothing: what reads events does not mind one field more."""
