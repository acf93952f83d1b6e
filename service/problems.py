"""Every error as `application/problem+json` (RFC 9457), from one table."""

from __future__ import annotations

import errno
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import (
    DataError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import errors
from service.errors import GradserveError, Mistake, escape
from service.strict_json import UnreadableBody

RETRY_AFTER_SECONDS = 2
MAX_MISTAKES = 50  # shown of a request; the detail tells how many there are
_NO_SCHEMA = ("no such table", "no such column", "UndefinedTable", "UndefinedColumn")
_DISK_FULL = ("disk is full", "disk full", "No space left", "DiskFull")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: its name in the type URI, its HTTP status and its title."""

    name: str
    status: int
    title: str


PROBLEMS: dict[type[GradserveError], Problem] = {
    errors.Invalid: Problem("invalid-request", 422, "The request is not valid"),
    errors.BadDocument: Problem("unreadable-body", 400, "The body cannot be read"),
    errors.NotFound: Problem("not-found", 404, "Not found"),
    errors.Conflict: Problem("conflict", 409, "The present state does not allow this"),
    errors.InProgress: Problem("request-in-progress", 409, "The request is still being worked on"),
    errors.KeyReused: Problem("idempotency-key-reused", 422, "The Idempotency-Key was used before"),
    errors.TooLarge: Problem("too-large", 413, "Too many bytes"),
    errors.UnsupportedMedia: Problem("unsupported-media-type", 415, "Unsupported kind of body"),
    errors.Unavailable: Problem("unavailable", 503, "Temporarily unavailable"),
    errors.Damaged: Problem("damaged-data", 500, "Stored data is damaged"),
    errors.LeaseLost: Problem("lease-lost", 409, "Another worker owns the job"),
}
INTERNAL = Problem("internal-error", 500, "Internal error")
# Of routing and of the server's own limits, which know statuses only.
_BY_STATUS = {
    404: Problem("no-such-path", 404, "No such path"),
    405: Problem("method-not-allowed", 405, "Method not allowed"),
    413: PROBLEMS[errors.TooLarge],
}


def problem_type(problem: Problem) -> str:
    """The stable URI of a kind of problem; docs/problems.md says what each means."""
    return f"urn:gradserve:problem:{problem.name}"


def install(app: FastAPI) -> None:
    """Register the handlers for whatever can be raised."""
    app.add_exception_handler(GradserveError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, http_error)
    # InternalError: the server has ended a transaction that stood still, or is a read-only one.
    for broken in (
        OperationalError,
        InterfaceError,
        InternalError,
        PoolTimeoutError,
        ProgrammingError,
    ):
        app.add_exception_handler(broken, _database_error)
    app.add_exception_handler(DataError, _value_error)
    app.add_exception_handler(OSError, _system_error)
    app.add_exception_handler(Exception, _unexpected)


def _answer(
    request: Request,
    problem: Problem,
    detail: str,
    mistakes: Sequence[Mistake] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, Any] = {
        "type": problem_type(problem),
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id(request)}",
    }
    if mistakes:
        body["errors"] = [
            {"pointer": each.pointer, "detail": each.detail} for each in mistakes[:MAX_MISTAKES]
        ]
    return JSONResponse(
        body, problem.status, headers=headers, media_type="application/problem+json"
    )


def _domain_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GradserveError)
    problem = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    if problem.status >= 500:
        _log.error("request failed", problem=problem.name, detail=error.detail)
    mistakes = error.mistakes if isinstance(error, errors.Invalid) else ()
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    again = isinstance(error, errors.Unavailable | errors.InProgress)
    return _answer(request, problem, error.detail, mistakes, retry if again else None)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    mistakes = [_mistake(each) for each in error.errors()]
    return _domain_error(request, errors.Invalid(*mistakes))


def _mistake(found: dict[str, Any]) -> Mistake:
    place, *path = found["loc"]
    if place != "body":
        return Mistake("", f"{place} parameter {path[0]!r}: {found['msg']}")
    # "[key]" marks that the key itself is wrong, and is no part of the document.
    pointer = "".join(f"/{escape(str(part))}" for part in path if part != "[key]")
    if found["type"] == "extra_forbidden":
        return Mistake(pointer, "unknown field; remove it or check its spelling")
    if found["type"] == "missing":
        return Mistake(pointer, "this field is required" if path else "the body is empty")
    if found["type"] in ("model_attributes_type", "model_type", "dict_type"):
        return Mistake(pointer, "must be a JSON object")
    return Mistake(pointer, found["msg"])


def http_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to an HTTPException, of the framework or of a limit."""
    if isinstance(error, UnreadableBody):
        return _domain_error(request, error.error)
    assert isinstance(error, HTTPException)
    status = error.status_code
    problem = _BY_STATUS.get(status) or Problem(f"http-{status}", status, HTTPStatus(status).phrase)
    detail = str(error.detail)
    if status == 404:
        detail = f"There is nothing at {request.url.path}. See /docs for the paths."
    elif status == 405:
        detail = f"{request.method} is not allowed at {request.url.path}. See /docs."
    elif status == 413:
        limit = request.app.state.settings.max_body_bytes
        detail = f"The body is larger than {limit} bytes (GRADSERVE_MAX_BODY_BYTES)."
    return _answer(request, problem, detail, headers=dict(error.headers or {}))


def _database_error(request: Request, error: Exception) -> JSONResponse:
    said = str(error)
    _log.error("database error", error=said)
    if any(words in said for words in _NO_SCHEMA):
        detail = "The database has no schema, or an old one. Run `gradserve migrate`."
    elif any(words in said for words in _DISK_FULL):
        detail = "The database's disk is full. Free some space; nothing was stored."
    elif isinstance(error, ProgrammingError):
        return _unexpected(request, error)
    else:
        detail = "The database does not answer. Try again in a moment."
    return _domain_error(request, errors.Unavailable(detail))


def _system_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    where = tempfile.gettempdir()
    detail = f"The service's disk for temporary files ({where}) is full; nothing was stored."
    return _domain_error(request, errors.Unavailable(detail))


def _value_error(request: Request, error: Exception) -> JSONResponse:
    _log.error("the database refuses a value", error=str(error))
    detail = "The request has a value that cannot be stored or looked for, such as U+0000 in text."
    return _domain_error(request, errors.Invalid(detail=detail))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected error", path=request.url.path, error=repr(error))
    detail = (
        "Something went wrong on our side. Report it with this problem's instance, "
        "which is in the server's log."
    )
    # This answer is sent outside of all middleware, so it brings its id along.
    return _answer(request, INTERNAL, detail, headers={"X-Request-Id": request_id(request)})


def request_id(request: Request) -> str:
    """The id of this request, the same in the problem, the header and the log."""
    identifier: str = request.scope["state"]["request_id"]
    return identifier


class RequestId:
    """ASGI middleware: gives each request an id and sends it back as X-Request-Id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with an id in its state and in the log's context."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = str(uuid.uuid4())
        scope.setdefault("state", {})["request_id"] = identifier

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", identifier.encode()),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identifier):
            await self.app(scope, receive, send_with_id)
