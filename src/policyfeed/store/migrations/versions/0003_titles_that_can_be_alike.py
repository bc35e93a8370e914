"""titles that can be alike are found by index"""

import sqlalchemy as sa
from alembic import op

from policyfeed.identity import head_mark, like_mark, title_mark

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ARTICLES = sa.table("articles", *map(sa.column, ("number", "title", "joint", "title_mark", "head_mark", "like_mark")))
INDEXES = (
    ("ministry_id_like_mark_sort_time", ("ministry_id", "like_mark", "sort_time"), None),
    ("joint_like_mark_sort_time", ("joint", "like_mark", "sort_time"), None),
    ("head_mark_sort_time", ("head_mark", "sort_time"), ARTICLES.c.head_mark.is_not(None)),
)


def upgrade() -> None:
    # The last databases that call themselves 0002 have the columns, and indexes on them, already.
    for name in ("joint", "ministry_id", "head_mark", "like_mark", "ministry_id_like_mark"):
        op.drop_index(f"ix_articles_{name}_sort_time", "articles", if_exists=True)
    if all(one["name"] != "like_mark" for one in sa.inspect(op.get_bind()).get_columns("articles")):
        op.add_column("articles", sa.Column("head_mark", sa.String(length=24), nullable=True))
        op.add_column("articles", sa.Column("like_mark", sa.String(length=24), nullable=False, server_default=""))
    _mark()
    with op.batch_alter_table("articles", schema=None) as batch_op:
        for name, columns, where in INDEXES:
            batch_op.create_index(batch_op.f(f"ix_articles_{name}"), list(columns), sqlite_where=where)


def _mark() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(ARTICLES.c.number, ARTICLES.c.title)).all()
    change = ARTICLES.update().where(ARTICLES.c.number == sa.bindparam("of"))
    change = change.values({name: sa.bindparam(name) for name in ("title_mark", "head_mark", "like_mark")})
    marks = [
        {"of": number, "title_mark": title_mark(said), "head_mark": head_mark(said), "like_mark": like_mark(said)}
        for number, said in rows
    ]
    if marks:
        connection.execute(change, marks)
