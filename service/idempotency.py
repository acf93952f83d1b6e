"""Creating exactly once: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

The first answer is committed in the transaction that creates the thing, so a process killed at any
instant leaves both or neither, and a client may simply repeat the request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.dependencies import Caller, CallerDep, DatabaseDep
from service.errors import InProgress, KeyReused
from service.store import idempotency as answers
from service.store.database import Database

MAX_KEY = 255

_busy: set[tuple[str, str]] = set()
_busy_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Created:
    """What a creating operation answers."""

    location: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Once:
    """One request to create something, with or without a key."""

    database: Database
    caller: Caller
    key: str | None
    path: str

    def create(self, status: int, content: str, make: Callable[[Session], Created]) -> Response:
        """Run `make` in a transaction, or give the first answer to this key again.

        `content` identifies what was sent; a form's boundary or JSON's spaces are no part of it.

        Raises:
            KeyReused: the key came with another request before.
            InProgress: the first request with this key is still being worked on.
        """
        request = sha256(f"{self.path}\n{content}".encode()).hexdigest()
        with self._alone():
            try:
                row = self._create(status, request, make)
            except IntegrityError:
                if self.key is None:
                    raise
                row = self._create(status, request, make)  # another process answered meanwhile
        return JSONResponse(row.body, row.status, headers={"Location": row.location})

    def _create(
        self, status: int, request: str, make: Callable[[Session], Created]
    ) -> answers.IdempotencyRow:
        tenant = self.caller.tenant
        with self.database.writing() as session:
            earlier = answers.find(session, tenant, self.key) if self.key else None
            if earlier is not None:
                self._check_same(earlier, request)
                return earlier
            made = make(session)
            row = answers.IdempotencyRow(
                tenant=tenant,
                key=self.key,
                request_sha256=request,
                status=status,
                location=made.location,
                body=made.body,
            )
            if self.key:
                answers.record(session, row)
            return row

    def _check_same(self, earlier: answers.IdempotencyRow, request: str) -> None:
        if earlier.request_sha256 != request:
            raise KeyReused(
                f"The Idempotency-Key {self.key!r} was used for another request. "
                "Use a fresh key for each different request."
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.key is None:
            yield
            return
        mine = (self.caller.tenant, self.key)
        with _busy_lock:
            if mine in _busy:
                raise InProgress(
                    f"A request with the Idempotency-Key {self.key!r} is still being worked on. "
                    "Repeat yours in a moment to get its answer."
                )
            _busy.add(mine)
        try:
            yield
        finally:
            with _busy_lock:
                _busy.discard(mine)


def _once(
    request: Request,
    database: DatabaseDep,
    caller: CallerDep,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=MAX_KEY)] = None,
) -> Once:
    return Once(database, caller, idempotency_key, request.url.path)


OnceDep = Annotated[Once, Depends(_once)]
