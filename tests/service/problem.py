"""What a problem answer must look like, whatever its source."""

from __future__ import annotations

import re
from typing import Any

INSTANCE = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def problem_of(response: Any, status: int, name: str) -> dict[str, Any]:
    """The problem in a response, checked for what all of them share."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:gradserve:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert INSTANCE.fullmatch(body["instance"])
    assert body["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    return body


def mistakes_of(response: Any) -> dict[str, str]:
    """The mistakes of a 422 by their pointers."""
    body = problem_of(response, 422, "invalid-request")
    first = body["errors"][0]
    assert first["detail"] in body["detail"]
    return {each["pointer"]: each["detail"] for each in body["errors"]}
