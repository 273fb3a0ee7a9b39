"""Migrations of the shop's database, made by Alembic; a later step never changes an earlier one."""
