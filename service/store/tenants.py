"""Whose rows they are. Every row that belongs to somebody names its tenant."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import String
from sqlalchemy.orm import mapped_column

DEFAULT_TENANT = "default"

TenantColumn = Annotated[str, mapped_column(String(64))]
