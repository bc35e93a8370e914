"""what explanations answer; what was seen at each place that was joined"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("number", number, nullable=False),
        sa.Column("answered", number, nullable=False),
        sa.ForeignKeyConstraint(["number"], ["articles.number"], name=op.f("fk_answers_number")),
        sa.ForeignKeyConstraint(["answered"], ["articles.number"], name=op.f("fk_answers_answered")),
        sa.PrimaryKeyConstraint("number", "answered", name=op.f("pk_answers")),
    )
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answers_answered"), ["answered"], unique=False)
    op.create_table(
        "copies",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_copies")),
    )
