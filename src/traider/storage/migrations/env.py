"""What Alembic runs a migration in: the connection and the transaction are those of the caller."""

from alembic import context

from traider.storage.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a table in place
    user_module_prefix="",  # the template imports our column types by name
)
with context.begin_transaction():
    context.run_migrations()
