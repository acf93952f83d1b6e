"""The fault campaign: a running service is broken in every way that is known, over and over.

`make faults` runs it; docs/reliability.md tells what it shows.
"""
