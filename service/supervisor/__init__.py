"""The embedded stack on one machine: starts broker, worker and API, and keeps them running.

Runs as `python -m service.supervisor` and imports the standard library only: it stays in memory
for as long as the stack runs, so it does without the libraries that its children load.
"""
