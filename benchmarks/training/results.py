"""What has been measured: one JSON file a part, so that a part can be measured again alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.training.quiet import QUIET

FOLDER = Path(__file__).parents[1] / "results"


class Results:
    """The files of a folder, by the names of the parts."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def read(self, part: str) -> dict[str, Any]:
        """What a part found, by the names of its cases; empty if it has not been measured."""
        try:
            found: dict[str, Any] = json.loads(self._file(part).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def keep(self, part: str, case: str, found: Any) -> None:
        """One case of a part; the others stay."""
        self.write(part, {**self.read(part), case: found})

    def drop(self, part: str, case: str) -> None:
        """Forget a case, if it is there."""
        everything = self.read(part)
        if everything.pop(case, None) is not None:
            self.write(part, everything)

    def disturbed(self, part: str, cases: Iterable[str] | None = None) -> list[str]:
        """Those of the cases (None: of all) that were measured while others used the machine."""
        everything = self.read(part)
        names = everything if cases is None else [name for name in cases if name in everything]
        return [name for name in names if everything[name].get("busy", 1.0) > QUIET]

    def write(self, part: str, everything: dict[str, Any]) -> None:
        """The whole file of a part."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(everything, indent=1, ensure_ascii=False) + "\n"
        # Whoever stops the run finds the file before this case or after it, never half of it.
        half = self._file(part).with_suffix(".half")
        half.write_text(text, encoding="utf-8")
        half.replace(self._file(part))

    def _file(self, part: str) -> Path:
        return self.folder / f"{part}.json"
