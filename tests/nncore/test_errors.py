"""Errors: their words, their pointers, and that they can be copied."""

import copy

import pytest

from nncore import ArchitectureError, DivergedError
from nncore.errors import readable, step_into


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("", ""),
        ("/layers/2/units", "layers[2].units"),
        ("/layers/2/kernel_size/0", "layers[2].kernel_size[0]"),
        ("/a~1b/c~0d", "a/b.c~d"),
    ],
)
def test_a_pointer_reads_like_a_path(pointer, path):
    assert readable(pointer) == path


def test_a_step_into_a_document_escapes_its_name():
    assert step_into(step_into("/layers", 0), "a/b~c") == "/layers/0/a~1b~0c"


def test_an_error_can_be_seen_from_further_out():
    error = ArchitectureError("/units", "must be at least 1").under("/layers/0")
    assert isinstance(error, ArchitectureError)
    assert str(error) == "layers[0].units: must be at least 1"


def test_errors_can_be_copied_as_pickling_does():
    error = copy.copy(ArchitectureError("/units", "is required"))
    assert (error.pointer, error.detail) == ("/units", "is required")
    diverged = copy.copy(DivergedError(2, 31, "dense_1"))
    assert (diverged.epoch, diverged.step, diverged.layer) == (2, 31, "dense_1")
    assert "epoch 2, step 31: layer 'dense_1'" in str(diverged)
