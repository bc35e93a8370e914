"""only joint releases stand in the index of joint releases"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JOINT = sa.column("joint", sa.Boolean) == sa.true()


def upgrade() -> None:
    op.drop_index("ix_articles_joint_like_mark_sort_time", "articles")
    op.create_index("ix_articles_like_mark_sort_time", "articles", ["like_mark", "sort_time"], sqlite_where=JOINT)
