"""explanations by their time: a release that comes after one that names it finds it; profiles are read as text"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

EXPLAINS = sa.column("kind") == sa.literal_column("'explanation'")


def upgrade() -> None:
    op.create_index("ix_articles_sort_time", "articles", ["sort_time"], sqlite_where=EXPLAINS)
    with op.batch_alter_table("sources") as table:
        table.alter_column("profile", existing_type=sa.JSON(), existing_nullable=False, type_=sa.Text())
