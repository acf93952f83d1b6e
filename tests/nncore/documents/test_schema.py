"""The JSON schemas of documents agree with what is parsed."""

from nncore import TrainingConfig, registry
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
