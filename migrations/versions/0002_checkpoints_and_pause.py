"""Checkpoints, pausing, and a trigger that refuses impossible transitions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What service/store/transitions.py gave when this script was written.
_FORBIDDEN = (
    "NOT ((OLD.status = 'queued' AND NEW.status IN ('queued', 'running', 'paused', 'cancelled'))"
    " OR (OLD.status = 'running' AND NEW.status IN"
    " ('running', 'queued', 'paused', 'succeeded', 'failed', 'cancelled'))"
    " OR (OLD.status = 'paused' AND NEW.status IN ('paused', 'queued', 'cancelled')))"
)


def upgrade() -> None:
    op.create_table(
        "job_checkpoints",
        sa.Column("job_id", sa.String(40), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("blob_id", sa.String(40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("training_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_checkpoints_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "step", name=op.f("pk_job_checkpoints")),
    )
    op.add_column(
        "jobs",
        sa.Column("pause_requested", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "jobs", sa.Column("spent_ms", sa.BigInteger(), nullable=False, server_default="0")
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'a % job cannot become %', OLD.status, NEW.status"
            " USING ERRCODE = 'check_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER jobs_transition BEFORE UPDATE OF status ON jobs FOR EACH ROW"
            f" WHEN ({_FORBIDDEN}) EXECUTE FUNCTION refuse_transition()"
        )
    else:
        op.execute(
            f"CREATE TRIGGER jobs_transition BEFORE UPDATE OF status ON jobs WHEN {_FORBIDDEN}"
            " BEGIN SELECT RAISE(ABORT, 'impossible transition of a job'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER jobs_transition ON jobs")
        op.execute("DROP FUNCTION refuse_transition()")
    else:
        op.execute("DROP TRIGGER jobs_transition")
    op.drop_column("jobs", "spent_ms")
    op.drop_column("jobs", "pause_requested")
    op.drop_table("job_checkpoints")
