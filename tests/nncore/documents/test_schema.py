"""The JSON schemas of documents agree with what is parsed."""

import pytest
from jsonschema import Draft202012Validator

from nncore import ArchitectureError, Network, TrainingConfig, registry
from nncore.documents import json_schema
from nncore.layers import Layer
from nncore.plan import NetworkSpec


def references(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def test_a_network_schema_knows_every_layer():
    schema = json_schema(NetworkSpec)
    definitions = schema["$defs"]
    network = definitions["NetworkSpec"]
    assert network["required"] == ["layers"]
    assert network["additionalProperties"] is False
    layers = network["properties"]["layers"]
    assert layers["type"] == "array"
    whole, sharing = layers["items"]["anyOf"]
    assert whole == {"$ref": "#/$defs/Layer"}
    assert sharing["required"] == ["shares"]
    assert {f"Layer.{name}" for name in registry.units(Layer)} <= set(definitions)


def test_a_layer_schema_gives_type_limits_and_defaults():
    dense = json_schema(NetworkSpec)["$defs"]["Layer.dense"]
    assert dense["required"] == ["type", "units"]
    assert dense["properties"]["type"] == {"const": "dense"}
    assert dense["properties"]["units"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 2**63 - 1,
    }
    assert dense["properties"]["use_bias"] == {"type": "boolean", "default": True}
    assert dense["properties"]["kernel_initializer"]["default"] == "glorot_uniform"
    assert dense["description"] == "Affine map of the last axis: y = x W + b."


def test_every_reference_is_defined_and_may_be_moved():
    schema = json_schema(TrainingConfig, "#/components/schemas/")
    found = set(references(schema))
    assert found
    assert found <= {f"#/components/schemas/{name}" for name in schema["$defs"]}


DENSE = {"type": "dense", "units": 4}


@pytest.mark.parametrize(
    ("layers", "right"),
    [
        ([DENSE, {"shares": "dense_1"}], True),
        ([DENSE, {"shares": "dense_1", "activation": "tanh", "name": "again"}], True),
        ([DENSE, {"shares": 1}], False),
        ([DENSE, {"name": "neither"}], False),
        ([{"type": "time_distributed", "layer": {"shares": "dense_1"}}], False),
        ([{**DENSE, "units": 2**63}], False),
        ([{**DENSE, "units": 2.5}], False),
        ([{"type": "batch_norm", "axis": -(2**63)}], False),
    ],
)
def test_the_schema_and_the_parser_agree(layers, right):
    document = {"input": {"shape": [4]}, "layers": layers}
    assert Draft202012Validator(json_schema(NetworkSpec)).is_valid(document) is right
    if right:
        assert Network.from_spec(document).output_shape == (4,)
    else:
        with pytest.raises(ArchitectureError):
            Network.from_spec(document)


def test_whole_numbers_are_written_as_such():
    with pytest.raises(ArchitectureError, match="expected an integer, got 4.0"):
        Network.from_spec({"input": {"shape": [4]}, "layers": [{**DENSE, "units": 4.0}]})

    def check(schema):
        if isinstance(schema, dict):
            if schema.get("type") == "integer":
                limits = (schema[key] for key in ("minimum", "maximum", "default") if key in schema)
                assert all(isinstance(limit, int | None) for limit in limits), schema
            schema = list(schema.values())
        if isinstance(schema, list):
            for part in schema:
                check(part)

    check(json_schema(NetworkSpec))
    check(json_schema(TrainingConfig))
