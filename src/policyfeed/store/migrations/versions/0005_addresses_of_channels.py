"""a channel's address has a column of its own: it stood before the reason for which the channel was closed"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CHANNELS = sa.Table("channels", sa.MetaData(), *map(sa.Column, ("name", "address", "closed")))


def upgrade() -> None:
    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(length=16), nullable=False, server_default=""))
    connection = op.get_bind()
    for name, both in connection.execute(sa.select(CHANNELS.c.name, CHANNELS.c.closed)).all():
        address, _, closed = both.partition(" ")
        change = CHANNELS.update().where(CHANNELS.c.name == name)
        connection.execute(change.values(address=address, closed=closed))
