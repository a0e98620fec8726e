"""Alembic's entry; `store/migrate.py` calls it with a connection that is in a transaction already."""

from alembic import context
from sqlmodel import SQLModel

from store import city_tables, tables

__all__ = ["city_tables", "tables"]  # imported so that the metadata knows them

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
