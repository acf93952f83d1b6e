"""What has been measured: one JSON file a part, so that a part can be measured again alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
        self.folder.mkdir(parents=True, exist_ok=True)
        everything = {**self.read(part), case: found}
        print(f"  {part}: {case}", file=sys.stderr, flush=True)
        text = json.dumps(everything, indent=1, ensure_ascii=False)
        self._file(part).write_text(text + "\n", encoding="utf-8")

    def _file(self, part: str) -> Path:
        return self.folder / f"{part}.json"
