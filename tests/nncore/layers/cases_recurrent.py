"""Contract rows of embedding, masking, the recurrent layers and the wrappers of sequences."""


def row(kind, shape=(4, 2), mask=None, below=None, **fields):
    return ({"type": kind, **fields}, list(shape), mask, below)


MASKS = (None, "right", "left", "holes")
GATED = ({"type": "lstm"}, {"type": "gru"}, {"type": "gru", "reset_after": False})
CELLS = ({"type": "simple_rnn"}, *GATED)


def cell(fields, mask=None, shape=(4, 2), **others):
    return ({**fields, "units": 3, **others}, list(shape), mask)


EMBEDDINGS = [
    row("embedding", [4], below=6, input_dim=6, output_dim=3),
    row("embedding", [4], below=3, input_dim=6, output_dim=2, mask_zero=True),
    row("embedding", [2, 3], below=9, input_dim=9, output_dim=1),
    row("embedding", [3], below=5, input_dim=5, output_dim=2, embeddings_initializer="ones"),
]

MASKINGS = [
    row("masking", [4, 2]),
    row("masking", [3, 2, 2], mask_value=-1),
    row("masking", [4, 2], "right"),
]

OPTIONS = [
    {"return_sequences": True},
    {"go_backwards": True},
    {"return_sequences": True, "go_backwards": True},
    {"return_sequences": True, "zero_output_for_mask": True},
    {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True},
    {"dropout": 0.4, "return_sequences": True},
    {"recurrent_dropout": 0.4},
    {"dropout": 0.3, "recurrent_dropout": 0.3, "go_backwards": True},
    {"use_bias": False},
]

RECURRENT = [
    *(cell(fields, mask) for fields in CELLS for mask in MASKS),
    *(
        cell(fields, mask, **options)
        for fields in CELLS
        for options in OPTIONS
        for mask in (None, "left" if options.get("go_backwards") else "right")
    ),
    *(cell(fields, shape=(1, 3)) for fields in CELLS),
    *(cell(fields, activation="sigmoid") for fields in CELLS),
    *(cell(fields, activation="softplus", recurrent_dropout=0.3) for fields in CELLS),
    *(cell(fields, "right", activation=None) for fields in CELLS),
    *(cell(fields, "holes", recurrent_activation="softmax") for fields in GATED),
    *(cell(fields, recurrent_activation="tanh", return_sequences=True) for fields in GATED),
    cell({"type": "lstm"}, unit_forget_bias=False),
    cell({"type": "simple_rnn"}, recurrent_initializer="glorot_normal"),
]

INNER = [{**fields, "units": 2} for fields in CELLS]

WRAPPED = [
    *(
        row("bidirectional", mask=mask, layer={**inner, "return_sequences": whole}, merge_mode=mode)
        for inner in INNER
        for mode, mask, whole in [
            ("concat", None, True),
            ("sum", "left", False),
            ("mul", "right", True),
            ("ave", "holes", True),
        ]
    ),
    row("bidirectional", layer=INNER[1]),
    row("bidirectional", mask="left", layer={**INNER[1], "dropout": 0.3, "recurrent_dropout": 0.3}),
    row("time_distributed", [3, 4], layer={"type": "dense", "units": 2}),
    row("time_distributed", [3, 4], layer={"type": "dense", "units": 2, "activation": "softmax"}),
    row("time_distributed", [3, 5], layer={"type": "dropout", "rate": 0.4}),
    row("time_distributed", [2, 3, 3, 1], layer={"type": "conv2d", "filters": 2, "kernel_size": 2}),
    row("time_distributed", [2, 3, 2], layer={"type": "flatten"}),
    row("time_distributed", [2, 3], layer={"type": "batch_norm"}),
    row("time_distributed", [3, 4, 2], "right", layer={**INNER[2], "dropout": 0.3}),
    row(
        "time_distributed",
        [2, 4],
        below=6,
        layer={"type": "embedding", "input_dim": 6, "output_dim": 3, "mask_zero": True},
    ),
    row(
        "time_distributed",
        [2, 3, 2],
        layer={"type": "bidirectional", "layer": {**INNER[0], "recurrent_dropout": 0.4}},
    ),
]

CASES = EMBEDDINGS + MASKINGS + RECURRENT + WRAPPED
