"""Embeddings: ids that have no vector, gradients of ids in any number, masks."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from nncore.layers.embedding import sum_by_id


def network_of(shape=(3,), **fields):
    layer = {"type": "embedding", "input_dim": 5, "output_dim": 2, **fields}
    return Network.from_spec({"input": {"shape": list(shape)}, "layers": [layer]})


@pytest.mark.parametrize(
    "ids", [[], [3], [0, 0, 0], [4, 1, 4, 2, 4, 1], [2] * 9 + [0, 3, 0], list(range(5))]
)
def test_rows_are_summed_by_their_id(ids):
    ids = np.array(ids, np.intp)
    rows = np.random.default_rng(0).normal(size=(len(ids), 3))
    table, expected = np.zeros((5, 3)), np.zeros((5, 3))
    np.add.at(expected, ids, rows)
    sum_by_id(ids, rows, table)
    assert np.allclose(table, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("ids", "wrong"), [([[1, 5, 0]], 5), ([[0, -1, 7]], -1)])
def test_an_id_without_a_vector_is_named(ids, wrong):
    network = network_of()
    with pytest.raises(ValueError, match=f"id {wrong}, but has vectors for 0 ... 4"):
        network.predict(network.init(), ids)


def test_vectors_are_those_of_the_table():
    network = network_of((2, 2))
    params = network.init()
    ids = np.array([[[0, 4], [2, 2]]])
    assert np.array_equal(network.predict(params, ids), params["embedding_1.embeddings"][ids])


def test_vectors_start_small():
    start = network_of(input_dim=1000).init()["embedding_1.embeddings"]
    assert np.abs(start).max() <= 0.05
    assert start.std() == pytest.approx(0.1 / 12**0.5, rel=0.05)


def test_only_sequences_can_be_masked():
    with pytest.raises(ArchitectureError, match="needs a sequence of ids") as error:
        network_of((2, 3), mask_zero=True)
    assert error.value.pointer == "/layers/0/mask_zero"


def test_masks_of_layers_add_up():
    (stage,) = network_of(mask_zero=True).stages
    ids, mask = np.array([[1, 0, 2]]), np.array([[True, True, False]])
    assert stage.operation.output_mask(ids, None).tolist() == [[True, False, True]]
    assert stage.operation.output_mask(ids, mask).tolist() == [[True, False, False]]
