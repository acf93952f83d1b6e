"""The loss and the metrics of the batches seen so far, as sums that can be put by and taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nncore.arrays import AnyArray
from nncore.metrics import Metric
from nncore.metrics.metric import Tally
from nncore.objective import Objective
from nncore.passes import Mask
from nncore.shard import Part

Decode = Callable[[AnyArray], AnyArray]
"""From what the network is trained on to what people read; for predictions and targets."""


class Scores:
    """Exact over any division into batches. `decode` is one function, or one by output."""

    def __init__(
        self,
        outputs: Sequence[str],
        objective: Objective,
        metrics: Sequence[Sequence[Metric]],
        decode: Decode | Mapping[str, Decode] | None,
    ) -> None:
        self._outputs = outputs
        self._objective = objective
        self._metrics = {
            self._named(output, metric.type_name): (index, metric)
            for index, output in enumerate(outputs)
            for metric in metrics[index]
        }
        self._decode = [
            decode.get(output) if isinstance(decode, Mapping) else decode for output in outputs
        ]
        self._totals = [0.0] * len(outputs)
        self._terms = [0] * len(outputs)
        self._tallies: dict[str, Tally] = {}

    def _named(self, output: str, figure: str) -> str:
        return figure if len(self._outputs) == 1 else f"{output}_{figure}"

    @property
    def signs(self) -> dict[str, int]:
        """1 for each metric that should rise, -1 for each that should fall, as losses should."""
        signs = {
            name: 1 if metric.greater_is_better else -1
            for name, (_, metric) in self._metrics.items()
            if metric.is_number
        }
        return signs | dict.fromkeys(self.losses(), -1)

    def count(self, means: Sequence[float], terms: Sequence[int]) -> None:
        """Add a batch: each output's mean loss (before `outer`) over so many terms."""
        for index, (mean, count) in enumerate(zip(means, terms, strict=True)):
            self._totals[index] += mean * count
            self._terms[index] += count

    def measure(self, part: Part) -> None:
        """Add a part's outputs to the metrics."""
        seen: dict[int, tuple[AnyArray, AnyArray, Mask | None]] = {}
        for name, (index, metric) in self._metrics.items():
            if index not in seen:
                seen[index] = self._readable(part, index)
            tally = metric.measure(*seen[index])
            before = self._tallies.get(name)
            self._tallies[name] = tally if before is None else metric.combine(before, tally)

    def _readable(self, part: Part, index: int) -> tuple[AnyArray, AnyArray, Mask | None]:
        """Predictions and targets as people read them, and the positions that count."""
        loss, targets = self._objective.losses[index], part.examples.targets[index]
        counted = loss.counted(targets, part.masks[index])
        predictions = loss.predictions(part.outputs[index])
        if decode := self._decode[index]:
            return decode(predictions), decode(targets), counted
        return predictions, targets, counted

    @property
    def means(self) -> list[float]:
        """Each output's mean loss over all terms, before `outer`."""
        return [
            total / max(terms, 1) for total, terms in zip(self._totals, self._terms, strict=True)
        ]

    @property
    def loss(self) -> float:
        """The objective, without penalties."""
        return self._objective.value(self.means)

    def losses(self) -> dict[str, float]:
        """Each output's own loss, if there are several."""
        if len(self._outputs) == 1:
            return {}
        return {
            self._named(output, "loss"): loss.outer(mean)[0]
            for output, loss, mean in zip(
                self._outputs, self._objective.losses, self.means, strict=True
            )
        }

    def metrics(self) -> dict[str, Any]:
        """The metrics by name."""
        return {
            name: metric.value(self._tallies[name])
            for name, (_, metric) in self._metrics.items()
            if name in self._tallies
        }

    def figures(self) -> dict[str, float]:
        """Those metrics that are one number."""
        numbers = {name for name, (_, metric) in self._metrics.items() if metric.is_number}
        return {name: value for name, value in self.metrics().items() if name in numbers}

    def state(self) -> tuple[dict[str, Any], dict[str, Tally]]:
        """What has been counted: JSON, and arrays."""
        numbers = {"totals": list(self._totals), "terms": list(self._terms)}
        return numbers, {name: np.array(tally) for name, tally in self._tallies.items()}

    def restore(self, numbers: Mapping[str, Any], tallies: Mapping[str, AnyArray]) -> None:
        """Go on from what another has counted. Raises ValueError if that is something else."""
        if not len(numbers["totals"]) == len(numbers["terms"]) == len(self._outputs):
            raise ValueError(f"totals and terms must be {len(self._outputs)}, one for each output")
        for name, tally in tallies.items():
            if name not in self._metrics:
                raise ValueError(f"there is no metric {name!r}")
            self._metrics[name][1].value(tally)
        self._totals = [float(total) for total in numbers["totals"]]
        self._terms = [int(terms) for terms in numbers["terms"]]
        self._tallies = {name: np.array(tally) for name, tally in tallies.items()}
