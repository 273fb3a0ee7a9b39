"""What is known of processes and organisations of OCDS: news are merged with what was said before."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE SCHEMA IF NOT EXISTS ocds;

-- A process's releases and what was sent of it, packed by ingestion/procurement/ocds/state.py.
CREATE TABLE ocds.processes (
  collection text NOT NULL,
  ocid text NOT NULL,
  state bytea NOT NULL,
  PRIMARY KEY (collection, ocid)
);
-- It is packed already.
ALTER TABLE ocds.processes ALTER COLUMN state SET STORAGE EXTERNAL;

-- Organisations that act in several processes, known by scheme and number.
CREATE TABLE ocds.parties (
  collection text NOT NULL,
  party_id text NOT NULL,
  roles integer NOT NULL,
  date text NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (collection, party_id)
);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Nothing: what was known would be lost."""
