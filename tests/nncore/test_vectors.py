"""Arrays as parts of one vector, and vectors found in arrays."""

import numpy as np

from nncore.vectors import Layout, joined, runs

LAYOUT = Layout({"a": (2, 3), "b": (), "c": (4,)})


def test_arrays_lie_one_behind_the_other():
    assert LAYOUT.size == 11
    vector = np.arange(11.0)
    views = LAYOUT.views(vector)
    assert views["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert views["b"].item() == 6
    assert views["c"].tolist() == [7, 8, 9, 10]
    assert np.shares_memory(joined(list(views.values())), vector)
    assert joined(list(views.values())).tolist() == vector.tolist()


def test_neighbours_in_all_groups_are_one_run():
    first, second = LAYOUT.zeros(np.dtype("f4")), LAYOUT.zeros(np.dtype("f8"))
    ((place, (one, other)),) = runs(LAYOUT, first, second)
    assert (place, one.size, other.size) == (slice(0, 11), 11, 11)
    one += 1
    assert all((array == 1).all() for array in first.values())


def test_a_gap_in_one_group_divides_the_run():
    first, second = LAYOUT.zeros(np.dtype("f4")), LAYOUT.zeros(np.dtype("f4"))
    second["b"] = np.zeros((), "f4")
    places = [place for place, _ in runs(LAYOUT, first, second)]
    assert places == [slice(0, 6), slice(6, 7), slice(7, 11)]


def test_arrays_of_their_own_are_runs_of_their_own():
    arrays = {name: np.ones(shape) for name, shape in LAYOUT.shapes.items()}
    assert len(runs(LAYOUT, arrays)) == 3
    assert [vector.size for _, (vector,) in runs(LAYOUT, arrays)] == [6, 1, 4]
