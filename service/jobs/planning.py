"""What a job would cost, told before it runs."""

from __future__ import annotations

from service.jobs.resolution import Resolved
from service.jobs.schemas import Plan, PlannedLayer

# A step of any network costs this much in calls alone; training costs three forward passes.
SECONDS_PER_STEP = 150e-6
FLOPS_PER_SECOND = 20e9
PASSES = 3


def plan(resolved: Resolved) -> Plan:
    """Layers, parameters, memory and a rough time per epoch on one core."""
    network = resolved.network
    rows = resolved.training_rows
    batch = min(resolved.config.batch_size or rows, rows)
    flops = sum(node.flops for node in network.nodes) * rows * PASSES
    seconds = flops / FLOPS_PER_SECOND + resolved.steps_per_epoch * SECONDS_PER_STEP
    layers = [
        PlannedLayer(
            name=node.name,
            type=node.type,
            output_shape=list(node.output_shape),
            parameters=node.parameters,
            flops=node.flops,
        )
        for node in network.nodes
    ]
    return Plan(
        layers=layers,
        parameters=network.parameter_count,
        memory_bytes=network.memory_bytes(batch),
        seconds_per_epoch=float(f"{seconds:.3g}"),
        warnings=resolved.warnings,
        spec=resolved.spec,
    )
