"""Refuses bodies above a limit as a problem document, whether or not their length is told.

The limits of Starlette and FastAPI answer in plain text where a Content-Length gives it away.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems

MAX_DIGITS = 18


class BodyLimit:
    """ASGI middleware; must stand inside `problems.RequestId`."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 at once, or pass the request on and count what it sends."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._tells_too_much(scope):
            response = problems.http_error(Request(scope), HTTPException(413))
            await response(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)

    def _tells_too_much(self, scope: Scope) -> bool:
        told = Headers(scope=scope).get("content-length", "")
        return told.isdecimal() and (len(told) > MAX_DIGITS or int(told) > self.max_bytes)
