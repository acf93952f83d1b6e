"""RESULTS.md in sections, each written by its own program, which leaves the others as they stand.

A section lies between `<!-- NAME -->` and `<!-- end of NAME -->`.
"""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).with_name("RESULTS.md")
_TITLE = "# Benchmarks\n"


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Replace a section of the page, or add it at the end; headings begin with `##`.

    Raises ValueError when only one of its two marks is there: what to replace is not known then.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    whole = page.read_text(encoding="utf-8") if page.exists() else _TITLE
    section = f"{first}\n\n{text.strip()}\n\n{last}"
    if (first in whole) != (last in whole):
        raise ValueError(f"{page} has only one of {first} and {last}: put the other one back")
    if first not in whole:
        whole = f"{whole.rstrip()}\n\n{section}\n"
    else:
        before, _, rest = whole.partition(first)
        whole = before + section + rest.partition(last)[2]
    page.write_text(whole, encoding="utf-8")
