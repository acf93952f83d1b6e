"""JSON bodies read strictly: what Python's reader lets pass silently is refused with a pointer.

NaN and Infinity, duplicate keys, numbers too long to convert and nesting that would exhaust the
stack are each legal to some parsers and harmful further in.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute

from service.errors import BadDocument, GradserveError, Invalid, Mistake, TooLarge, escape

MAX_DEPTH = 64
MAX_DIGITS = 400  # 1e308 written out has 309

# Possessive, and content with an unclosed string: each byte is looked at once, whatever is sent.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
# The escapes that can make what is no text: U+0000, which PostgreSQL refuses, and surrogates.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_NO_BRACKETS = re.compile(rb"[^\[\]{}]+")


class UnreadableBody(HTTPException):
    """Carries a domain error out of the body parser, which lets only HTTPException through."""

    def __init__(self, error: GradserveError) -> None:
        super().__init__(status_code=400, detail=error.detail)
        self.error = error


def loads(data: bytes) -> Any:
    """The document.

    Raises:
        BadDocument: no JSON at all.
        Invalid: JSON with non-finite numbers, duplicate keys or absurd nesting or numbers.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadDocument(
            Mistake("", f"byte {problem.start} is not UTF-8; send the body in UTF-8")
        ) from problem
    if not text.strip():
        raise BadDocument(Mistake("", "the body is empty; send a JSON document"))
    _check_depth(data)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise BadDocument(Mistake("", f"the body is not JSON: {problem.msg} at {place}")) from None
    if _SUSPECT.search(text):
        _check_text(document, "")
    return document


def _check_depth(data: bytes) -> None:
    depth = 0
    for bracket in _NO_BRACKETS.sub(b"", _STRINGS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Invalid(Mistake("", f"the body nests deeper than {MAX_DEPTH} levels"))


def _check_text(value: Any, pointer: str) -> None:
    if isinstance(value, list):
        for index, each in enumerate(value):
            _check_text(each, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for key, each in value.items():
            _check_text(key, pointer)
            _check_text(each, f"{pointer}/{escape(key)}")
    elif isinstance(value, str) and _NO_TEXT.search(value):
        detail = "holds U+0000 or half of a surrogate pair, which is no text; leave it out"
        raise Invalid(Mistake(pointer, detail))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise Invalid(Mistake("", f"the key {twice!r} stands twice in one object; keep one"))
    return found


def _refuse_constant(name: str) -> float:
    raise Invalid(Mistake("", f"{name} is not a JSON number; use null for a missing value"))


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Invalid(Mistake("", f"a number of {len(digits)} digits is too long"))
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Invalid(Mistake("", f"{digits[:40]} is too large for a 64-bit number"))
    return number


class StrictRequest(Request):
    """A request whose JSON is read strictly and at most `max_json_bytes` long."""

    async def json(self) -> Any:
        """The body as a document; raises UnreadableBody."""
        if not hasattr(self, "_document"):
            body = await self.body()
            limit: int = self.app.state.settings.max_json_bytes
            try:
                if len(body) > limit:
                    raise TooLarge(
                        f"The JSON body has {len(body)} bytes, more than {limit}. "
                        "Upload large data as a file (CSV or npz)."
                    )
                self._document = loads(body)
            except GradserveError as error:
                raise UnreadableBody(error) from error
        return self._document


class StrictRoute(APIRoute):
    """A route that hands a StrictRequest to its endpoint."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return handle
