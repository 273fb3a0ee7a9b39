"""Run by Alembic for each command: carries out the steps on the connection that it was handed."""

from alembic import context

from infra.postgres.upgrade import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
