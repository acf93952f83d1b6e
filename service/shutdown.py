"""Whether this process was told to stop: event streams end then, rather than hold up the stop."""

from __future__ import annotations

from threading import Event

stopping = Event()
