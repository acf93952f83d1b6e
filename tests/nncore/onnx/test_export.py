"""The exported file itself: its versions, names, types, and what cannot be exported."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from nncore import ArchitectureError, Network, to_onnx
from nncore.onnx import model
from nncore.onnx.protobuf import integer
from nncore.operation import Operation
from tests.nncore.onnx.runtime import check, draw, session

DENSE = {"input": {"shape": [None, 3]}, "layers": [{"type": "dense", "units": 2, "name": "d"}]}


def exported(spec, **options):
    network = Network.from_spec(spec)
    return onnx.load_from_string(to_onnx(network, network.init(), **options))


def test_it_says_what_it_is():
    found = exported(DENSE)
    assert found.ir_version == model.IR_VERSION
    assert [(one.domain, one.version) for one in found.opset_import] == [("", model.OPSET)]
    assert found.producer_name == "nncore"


def test_inputs_and_outputs_have_names_types_and_sizes():
    found = exported(DENSE)
    ports = [*found.graph.input, *found.graph.output]
    assert [port.name for port in ports] == ["input", "d"]
    sizes = [
        [d.dim_value or d.dim_param for d in port.type.tensor_type.shape.dim] for port in ports
    ]
    assert sizes == [["batch", "input_1", 3], ["batch", "", 2]]
    assert {port.type.tensor_type.elem_type for port in ports} == {onnx.TensorProto.FLOAT}


def test_token_ids_are_int32():
    layers = [{"type": "embedding", "input_dim": 5, "output_dim": 2}]
    found = exported({"input": {"shape": [4]}, "layers": layers})
    assert found.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.INT32


def test_weights_are_stored_as_they_are():
    network = Network.from_spec(DENSE)
    params = network.init(4, "float64")
    found = onnx.load_from_string(to_onnx(network, params))
    kernel = next(one for one in found.graph.initializer if one.name == "d.kernel")
    assert np.array_equal(onnx.numpy_helper.to_array(kernel), params["d.kernel"].astype("float32"))
    assert len(kernel.raw_data) == 3 * 2 * 4


def test_double_precision_is_kept_when_asked_for():
    network = Network.from_spec(DENSE)
    params, x = network.init(4, "float64"), draw(2, [5, 3], 0).astype(float)
    (found,) = session(to_onnx(network, params, "float64")).run(None, {"input": x})
    assert np.abs(found - network.predict(params, x)).max() < 1e-14


def test_the_same_weights_give_the_same_bytes():
    network = Network.from_spec(DENSE)
    assert to_onnx(network, network.init()) == to_onnx(network, network.init())


def test_nothing_is_written_that_no_output_needs():
    layers = [
        {"type": "embedding", "input_dim": 5, "output_dim": 2, "mask_zero": True},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 2, "use_bias": False},
    ]
    found = exported({"input": {"shape": [4]}, "layers": layers})
    assert [node.op_type for node in found.graph.node] == ["Gather", "MatMul", "Identity"]
    assert [one.name for one in found.graph.initializer] == [
        "embedding_1.embeddings",
        "dense_1.kernel",
    ]


def test_recurrent_layers_use_the_operators_made_for_them():
    layers = [
        {"type": kind, "units": 2, "return_sequences": True}
        for kind in ("lstm", "gru", "simple_rnn")
    ]
    found = exported({"input": {"shape": [None, 2]}, "layers": layers})
    kinds = {node.op_type for node in found.graph.node}
    assert {"LSTM", "GRU", "RNN"} <= kinds
    assert "Scan" not in kinds


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"weight 'd.kernel' is missing; its shape is \(3, 2\)"):
        to_onnx(Network.from_spec(DENSE), {})


@pytest.mark.parametrize("around", [False, True])
def test_a_unit_without_a_form_in_onnx_is_named(monkeypatch, around):
    dense = {"type": "dense", "units": 2}
    second = {"type": "time_distributed", "layer": dense} if around else dense
    network = Network.from_spec({"input": {"shape": [2, 2]}, "layers": [dense, second]})
    kind = type(network.spec.layers[0])
    monkeypatch.setattr(kind, "to_onnx", Operation.to_onnx)
    with pytest.raises(ArchitectureError, match=r"layers\[0\]: dense has no form in ONNX") as error:
        to_onnx(network, network.init())
    assert error.value.pointer == "/layers/0"


def test_a_model_beyond_the_format_is_refused(monkeypatch):
    monkeypatch.setattr(model, "LARGEST", 100)
    with pytest.raises(ValueError, match="an ONNX file holds at most 100"):
        exported(DENSE)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, b"\x08\x00"), (300, b"\x08\xac\x02"), (-1, b"\x08" + b"\xff" * 9 + b"\x01")],
)
def test_integers_are_written_in_groups_of_seven_bits(value, written):
    assert b"".join(integer(1, value)) == written


def test_layers_may_be_called_as_constants_are():
    layers = [{"type": "activation", "activation": "relu6", "name": name} for name in ("0", "6")]
    network = Network.from_spec({"input": {"shape": [3]}, "layers": layers})
    check(network, [{"input": draw(3, [3], 0) * 5}])
