"""Times and amounts that nobody can read are refused at the door. Rows that are there are left as they are."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("customers", "sellers", "products")
# NOT VALID: what was written before is set aside by whoever reads it, and must not stop this migration. The comparison
# with a number is true of NaN.
TIMES = """
ALTER TABLE shop.{table} ADD CONSTRAINT {table}_times_readable CHECK (
  created_at >= '1900-01-01Z' AND created_at < '2300-01-01Z'
  AND updated_at >= '1900-01-01Z' AND updated_at < '2300-01-01Z'
) NOT VALID
"""
PRICE = "ALTER TABLE shop.products ADD CONSTRAINT products_price_readable CHECK (price_amount <> 'NaN') NOT VALID"


def upgrade() -> None:
    """Add the checks."""
    for table in TABLES:
        op.execute(TIMES.format(table=table))
    op.execute(PRICE)


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE shop.products DROP CONSTRAINT products_price_readable")
    for table in TABLES:
        op.execute(f"ALTER TABLE shop.{table} DROP CONSTRAINT {table}_times_readable")
