"""Imports the named module and prints how long it took and what the process holds then."""

# Nothing else is imported before: it would count, or be there already.
import sys
import time

start = time.perf_counter()
__import__(sys.argv[1])
taken = time.perf_counter() - start

with open("/proc/self/status", encoding="ascii") as status:
    lines = [line for line in status if line.startswith("VmHWM")]
resident = int(lines[0].split()[1]) / 1024
print(f'{{"seconds": {taken:.4f}, "resident_mib": {resident:.2f}}}')
