"""Networks as ONNX models: what other runtimes can execute.

Each operation writes its own nodes (`Operation.to_onnx`) into a `Graph`; `export` walks over a
network and puts the model together; `protobuf` and `model` know the file format.
"""
