"""Times as the API writes them: RFC 3339 in UTC; the store keeps milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(milliseconds: int) -> str: ...


@overload
def rfc3339(milliseconds: int | None) -> str | None: ...


def rfc3339(milliseconds: int | None) -> str | None:
    """`2026-01-31T12:00:00.123Z`, or None for a time that has not come."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}Z"
