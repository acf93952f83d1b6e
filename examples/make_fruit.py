"""Prints fruit.csv: 120 made-up fruits to try things with. No fruit was weighed for it.

python examples/make_fruit.py > examples/fruit.csv
"""

from __future__ import annotations

import random

SEED = 20
ROWS = 120
MISSING = 0.03  # share of fruits without a length
# kind: mean and deviation of weight in g and length in mm, colours with their frequencies
KINDS = {
    "apple": ((140, 30), (70, 8), {"green": 4, "red": 5, "yellow": 3}),
    "lemon": ((105, 22), (80, 9), {"green": 1, "yellow": 9}),
    "plum": ((65, 17), (54, 8), {"green": 1, "purple": 6, "red": 2, "yellow": 2}),
}


def rows(seed: int = SEED) -> list[str]:
    """The lines of the file, the head first."""
    rng = random.Random(seed)
    lines = ["weight_g,length_mm,colour,fruit"]
    for _ in range(ROWS):
        kind = rng.choice(sorted(KINDS))
        weight, length, colours = KINDS[kind]
        shown = f"{rng.gauss(*length):.1f}" if rng.random() >= MISSING else ""
        colour = rng.choices(list(colours), weights=list(colours.values()))[0]
        lines.append(f"{rng.gauss(*weight):.1f},{shown},{colour},{kind}")
    return lines


if __name__ == "__main__":
    print("\n".join(rows()))
