"""Networks and weights that were made elsewhere: Keras' documents and arrays, PyTorch's arrays.

Neither Keras nor PyTorch is needed: documents come as JSON, weights as NumPy arrays by name.
"""

from nncore.importing.keras_model import from_keras_json
from nncore.importing.keras_weights import weights_from_keras
from nncore.importing.torch_weights import weights_from_torch

__all__ = ["from_keras_json", "weights_from_keras", "weights_from_torch"]
