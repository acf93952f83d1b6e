"""What can go wrong, in the domain's words. `service.problems` turns each into an HTTP answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a request: where (a JSON Pointer into it) and how to mend it."""

    pointer: str
    detail: str


def escape(part: str) -> str:
    """A reference token of a JSON Pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


class GradserveError(Exception):
    """Root of the domain's errors; `detail` is a sentence for the user."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(GradserveError):
    """The request is understood but wrong; `mistakes` point into it."""

    def __init__(self, *mistakes: Mistake, detail: str | None = None) -> None:
        super().__init__(detail or summary(mistakes))
        self.mistakes = mistakes


class BadDocument(Invalid):
    """The body is not a document that could be read at all."""


class NotFound(GradserveError):
    """Nothing of that kind has this id."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"There is no {kind} {identifier!r}. List them with GET /v1/{kind}s.")


class Conflict(GradserveError):
    """The state of the thing does not allow it."""


class InProgress(GradserveError):
    """A request with the same Idempotency-Key is still being worked on."""


class KeyReused(GradserveError):
    """An Idempotency-Key came again with another request."""


class TooLarge(GradserveError):
    """More bytes than a limit allows."""


class UnsupportedMedia(GradserveError):
    """A body of another kind than the operation takes."""


class Unavailable(GradserveError):
    """Something that is needed does not answer; trying again later helps."""


class Damaged(GradserveError):
    """Stored bytes are not what was written."""


class LeaseLost(GradserveError):
    """Another attempt owns the job: nothing more may be written for it."""


def summary(mistakes: Sequence[Mistake]) -> str:
    """A sentence for the problem's detail: the first mistake, and how many more there are."""
    if not mistakes:
        return "The request is not valid."
    first = mistakes[0]
    where = f"{first.pointer}: " if first.pointer else ""
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{where}{first.detail}{more}"


def job_error(kind: str, detail: str, **more: Any) -> dict[str, Any]:
    """The `error` of a failed job."""
    return {"type": kind, "detail": detail, **more}
