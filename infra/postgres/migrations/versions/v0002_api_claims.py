"""Idempotency keys of the API: for which body each was first used."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Both are hashes of 32 bytes: of owner and key, and of the body.
TABLE = """
CREATE TABLE shop.api_claims (
  claim bytea PRIMARY KEY,
  content bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON shop.api_claims (created_at);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(TABLE)


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP TABLE shop.api_claims")
