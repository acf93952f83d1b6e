"""Cases of embedding, masking and recurrent layers."""

from __future__ import annotations

from typing import Any

from tests.nncore.references.layer_cases import LayerCase, masked, one

_SEQUENCE = [4, 2]
_LENGTHS = (4, 1, 3)


def _bidirectional(inner: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "bidirectional", "layer": inner, **fields}


def _each_step(inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": "time_distributed", "layer": inner}


def _tokens(*layers: dict[str, Any], lengths: tuple[int, ...] = ()) -> LayerCase:
    return LayerCase(layers, ((4,),), lengths, below=6)


_EMBEDDING = {"type": "embedding", "input_dim": 6, "output_dim": 3}
_MASKED_EMBEDDING = {**_EMBEDDING, "mask_zero": True}
_RNN = {"type": "simple_rnn", "units": 3}
_LSTM = {"type": "lstm", "units": 3}
_GRU = {"type": "gru", "units": 3}
_CELLS = [_RNN, _LSTM, _GRU, {**_GRU, "reset_after": False}]
_WHOLE = {"return_sequences": True}
_SILENT = {"zero_output_for_mask": True}
_BACK = {"go_backwards": True}


def _plain(cell: dict[str, Any]) -> list[LayerCase]:
    options: list[dict[str, Any]] = [
        {},
        _WHOLE,
        _BACK,
        _WHOLE | _BACK,
        {"use_bias": False},
        {"activation": "relu"},
    ]
    if cell["type"] != "simple_rnn":
        options.append({"recurrent_activation": "hard_sigmoid"})
    return [LayerCase((cell | option,), (tuple(_SEQUENCE),)) for option in options]


def _variable_length(cell: dict[str, Any]) -> list[LayerCase]:
    return [masked(_SEQUENCE, cell | option) for option in ({}, _WHOLE, _BACK)]


SEQUENCES = [
    _tokens(_EMBEDDING),
    _tokens(_MASKED_EMBEDDING, lengths=_LENGTHS),
    _tokens(_MASKED_EMBEDDING, _LSTM, lengths=_LENGTHS),
    _tokens(_MASKED_EMBEDDING, {"type": "global_avg_pool1d"}, lengths=_LENGTHS),
    masked(_SEQUENCE),
    masked(_SEQUENCE, {"type": "dense", "units": 2}, _GRU),
    *(case for cell in _CELLS for case in _plain(cell)),
    *(case for cell in _CELLS for case in _variable_length(cell)),
    masked(_SEQUENCE, _LSTM | _WHOLE, _GRU),
    *(masked(_SEQUENCE, cell | _WHOLE | _SILENT) for cell in (_RNN, _LSTM, _GRU)),
    LayerCase(
        ({"type": "masking", "mask_value": 0.25}, _GRU), (tuple(_SEQUENCE),), _LENGTHS, pad=0.25
    ),
    masked(_SEQUENCE, _GRU | _WHOLE | _BACK),
    *(
        one(_SEQUENCE, "bidirectional", layer=_RNN, merge_mode=mode)
        for mode in ("concat", "sum", "mul", "ave")
    ),
    *(
        one(_SEQUENCE, "bidirectional", layer=_GRU | _WHOLE, merge_mode=mode)
        for mode in ("concat", "sum", "mul", "ave")
    ),
    one(_SEQUENCE, "bidirectional", layer=_LSTM),
    one(_SEQUENCE, "bidirectional", layer=_LSTM | _WHOLE),
    masked(_SEQUENCE, _bidirectional(_LSTM)),
    masked(_SEQUENCE, _bidirectional(_RNN | _WHOLE)),
    masked(_SEQUENCE, _bidirectional(_LSTM | _WHOLE, merge_mode="sum"), _bidirectional(_GRU)),
    one([3, 4], "time_distributed", layer={"type": "dense", "units": 2, "activation": "tanh"}),
    one(
        [2, 4, 4, 1],
        "time_distributed",
        layer={"type": "conv2d", "filters": 2, "kernel_size": 3, "padding": "same"},
    ),
    one([2, 4, 4, 1], "time_distributed", layer={"type": "max_pool2d"}),
    one([2, 3, 2], "time_distributed", layer={"type": "flatten"}),
    masked(_SEQUENCE, _each_step({"type": "dense", "units": 2}), _RNN),
]

LABELLED = masked(
    _SEQUENCE, _bidirectional(_LSTM | _WHOLE), {"type": "dense", "units": 3}, lengths=_LENGTHS
)
LABELS = [[0, 2, 1, 1], [2, 0, 0, 0], [1, 1, 2, 0]]
