"""What a program needs outside of training alone: fewer stages, and weights that take them in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nncore.arrays import Params
from nncore.initializers.constant import Zeros
from nncore.operation import Weight
from nncore.program import Program, Stage


def without_noise(program: Program) -> Program:
    """The same without the stages that do nothing outside of training."""
    made = {stage.output for stage in program.stages}
    instead: dict[int, int] = {}
    stages = []
    for stage in program.stages:
        inputs = tuple(instead.get(value, value) for value in stage.inputs)
        if stage.operation.only_trains and inputs[0] in made:
            instead[stage.output] = inputs[0]
        else:
            stages.append(replace(stage, inputs=inputs))
    outputs = tuple(instead.get(value, value) for value in program.outputs)
    return replace(program, stages=tuple(stages), outputs=outputs)


def folded(program: Program, params: Params) -> tuple[Program, Params]:
    """The same outside of training, factors and summands of channels taken into kernels before."""
    makers = {stage.output: stage for stage in program.stages}
    weights, once = dict(params), program.used_once
    for stage in program.stages:
        scaled = stage.operation.of_channels(stage.own(params)) if stage.weights else None
        maker = makers.get(stage.inputs[0])
        if scaled is None or maker is None or not maker.operation.weighs_channels:
            continue
        alone = program.readers(maker.output) == 1 and maker.output not in program.outputs
        if not alone or not once.issuperset(map(maker.key, maker.weights)):
            continue
        factor, summand = scaled
        kernel, bias = maker.key("kernel"), f"{maker.owner}.bias"
        weights[kernel] = weights[kernel] * factor
        weights[bias] = weights[bias] * factor + summand if bias in weights else summand
        del makers[maker.output]
        makers[stage.output] = _with_bias(maker, stage)
    if len(makers) == len(program.stages):
        return program, params
    return replace(program, stages=tuple(makers.values())).in_place(), weights


def _with_bias(maker: Stage, last: Stage) -> Stage:
    operation: Any = maker.operation
    bias = Weight((maker.output_shape[-1] or 0,), Zeros())
    return replace(
        maker,
        operation=replace(operation, use_bias=True),
        output=last.output,
        weights={"bias": bias, **maker.weights},
    )
