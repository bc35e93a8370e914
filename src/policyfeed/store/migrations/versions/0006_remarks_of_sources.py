"""what was odd in what was last read of a source is kept: it stood in the log alone"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remarks", sa.Text(), nullable=False, server_default=""))
