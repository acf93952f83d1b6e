"""Documents and input shapes of binary layers, and of activations with weights of their own."""

CASES = [
    ({"type": "binary_dense", "units": 3}, [4]),
    ({"type": "binary_dense", "units": 3, "estimator": "error_decay"}, [2, 4]),
    ({"type": "binary_dense", "units": 2, "binary_inputs": False, "use_bias": False}, [3]),
    ({"type": "binary_dense", "units": 2, "binary_weights": False}, [3]),
    ({"type": "binary_conv2d", "filters": 3, "kernel_size": 2}, [4, 5, 2]),
    (
        {
            "type": "binary_conv2d",
            "filters": 4,
            "kernel_size": 3,
            "padding": "same",
            "groups": 2,
            "estimator": "error_decay",
            "binary_inputs": False,
        },
        [3, 4, 2],
    ),
    ({"type": "dense", "units": 3, "activation": "prelu"}, [2, 4]),
    ({"type": "dense", "units": 3, "activation": {"type": "adaptive", "n": 2}}, [4]),
    (
        {"type": "activation", "activation": {"type": "adaptive", "scope": "neuron", "n": 3}},
        [2, 3],
    ),
    (
        {"type": "activation", "activation": {"type": "adaptive", "rowdy_terms": 2}},
        [3],
    ),
]
