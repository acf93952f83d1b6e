"""Opaque, time-ordered identifiers: newest first is a descending order of the primary key."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32 sorts like the number
_DIGITS = 26
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """`<prefix>_<26 digits>`: 48 bits of milliseconds, 80 random; increasing within a process."""
    global _last
    with _lock:
        number = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
        _last = number = max(number, _last + 1)
    digits = (_ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(_DIGITS)))
    return f"{prefix}_{''.join(digits)}"
