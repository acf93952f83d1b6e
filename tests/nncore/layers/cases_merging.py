"""Rows of the layers' contract: layers that join several inputs (a list of shapes)."""

CASES = [
    *(
        ({"type": name}, shapes)
        for name in ("add", "average", "multiply", "maximum", "minimum")
        for shapes in (
            [[3, 2], [3, 2]],
            [[4], [4], [4]],
            [[2, 3], [1, 3], [2, 1]],
            [[2, 3, 2], [3, 1], [2]],
        )
    ),
    ({"type": "subtract"}, [[3, 2], [3, 2]]),
    ({"type": "subtract"}, [[2], [3, 1]]),
    ({"type": "concatenate"}, [[3], [1], [2]]),
    ({"type": "concatenate"}, [[2, 3], [2, 2]]),
    ({"type": "concatenate", "axis": 1}, [[2, 3], [1, 3], [3, 3]]),
    ({"type": "concatenate", "axis": -2}, [[2, 2, 1], [2, 3, 1]]),
    ({"type": "dot", "axes": 1}, [[3], [3]]),
    ({"type": "dot", "axes": -1}, [[2, 3], [4, 3]]),
    ({"type": "dot", "axes": [1, 2]}, [[3, 2], [4, 3]]),
    ({"type": "dot", "axes": [2, 1]}, [[2, 3], [3]]),
    ({"type": "dot", "axes": [3, 1], "normalize": True}, [[2, 2, 3], [3, 2]]),
]
