"""Keys and idempotency claims of the API serve every domain, so they move out of the shop's schema."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("api_keys", "api_claims")


def upgrade() -> None:
    """Move them to the schema `ops`."""
    op.execute("CREATE SCHEMA IF NOT EXISTS ops")
    for table in TABLES:
        op.execute(f"ALTER TABLE shop.{table} SET SCHEMA ops")


def downgrade() -> None:
    """Move them back."""
    for table in TABLES:
        op.execute(f"ALTER TABLE ops.{table} SET SCHEMA shop")
    op.execute("DROP SCHEMA ops")
