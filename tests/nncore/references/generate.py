"""Records what Keras 3 and PyTorch say about the cases of this folder, into its `.npz` files.

It needs packages that nothing else here needs:

    python3 -m venv /tmp/golden
    /tmp/golden/bin/pip install torch==2.13.0 keras==3.15.1
    make golden GOLDEN_PYTHON=/tmp/golden/bin/python

Everything runs in float64 on one thread; inputs and weights come from formulas (`filling.py`), so
that a second run gives the same numbers.
"""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import torch
from keras.src.backend.common import dtypes

from tests.nncore.references import (
    keras_layers,
    keras_losses,
    schedule_references,
    torch_graph,
    torch_training,
)
from tests.nncore.references.activation_cases import ACTIVATIONS
from tests.nncore.references.generate_imports import record_imports
from tests.nncore.references.layer_cases import GENERAL
from tests.nncore.references.loss_cases import LOSSES
from tests.nncore.references.recorded import store
from tests.nncore.references.recurrent_cases import LABELLED, LABELS, SEQUENCES
from tests.nncore.references.schedule_cases import SCHEDULES
from tests.nncore.references.spatial_cases import CONVOLUTIONS, POOLINGS, SIZES
from tests.nncore.references.training_cases import RUNS


def record(topic, cases, reference):
    """Record one topic and say how large it is."""
    results = {}
    for case in cases:
        if case.name in results:
            sys.exit(f"two cases are named {case.name!r}")
        try:
            results[case.name] = reference(case)
        except Exception as error:
            print(f"  {case.name}: {type(error).__name__} {str(error)[:300]}")
    print(f"{topic}: {len(results)} cases, {store(topic, results) / 1024:.0f} KB")


def compute_in_float64():
    """On one thread. Keras follows JAX and makes float32 of sums and products of float64."""
    keras.config.set_floatx("float64")
    without_epsilon_in_masked_means()
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)


def without_epsilon_in_masked_means():
    """Keras divides masked sums by the number of steps + 1e-7, which shows at 1e-9."""
    masked = keras.layers.BatchNormalization._moments

    def exactly(*arguments):
        usual = keras.config.epsilon()
        keras.config.set_epsilon(1e-300)
        try:
            return masked(*arguments)
        finally:
            keras.config.set_epsilon(usual)

    keras.layers.BatchNormalization._moments = exactly


def main():
    """Record every topic."""
    compute_in_float64()
    record("layers", GENERAL, keras_layers.of_layers)
    record("spatial", [*CONVOLUTIONS, *POOLINGS, *SIZES], keras_layers.of_layers)
    record("activations", [case for _, case in ACTIVATIONS], keras_layers.of_layers)
    record("losses", LOSSES, keras_losses.of_loss)
    record("training", RUNS, torch_training.of_run)
    labelled = keras_layers.of_sequences(LABELLED, np.array(LABELS))
    store("networks", {"graph": torch_graph.of_graph(), "labelled sequences": labelled})
    record("schedules", SCHEDULES, schedule_references.of_schedule)
    record("recurrent", SEQUENCES, keras_layers.of_layers)
    record_imports()


if __name__ == "__main__":
    main()
