"""Indexes that keep sweeps, and lists by a tag's name, quick among very many jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    running = sa.text("status = 'running'")
    op.create_index(
        "ix_jobs_running", "jobs", ["id"], sqlite_where=running, postgresql_where=running
    )
    op.create_index(op.f("ix_job_tags_tenant_key_job_id"), "job_tags", ["tenant", "key", "job_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_job_tags_tenant_key_job_id"), table_name="job_tags")
    op.drop_index("ix_jobs_running", table_name="jobs")
