"""The error function erf x = 2 / sqrt(pi) * integral from 0 to x of exp(-t^2).

By rational approximations on three stretches of |x|, to the last digits of float64. Cody, 1969.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nncore.arrays import Array

# Numerators and denominators from the highest power down.
_NEAR = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (
        1.0,
        2.36012909523441209e1,
        2.44024637934444173e2,
        1.28261652607737228e3,
        2.84423683343917062e3,
    ),
)
_MIDDLE = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
_FAR = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242e0,
        1.87295284992346047e0,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
_NEAR_ENDS, _MIDDLE_ENDS, _ONE = 0.46875, 4.0, 6.0


def erf(x: Array) -> Array:
    """The error function of every element, in x's precision; NaN stays NaN."""
    size = np.abs(x)
    found = np.ones_like(size)
    found[np.isnan(size)] = np.nan
    near, far = size <= _NEAR_ENDS, size > _MIDDLE_ENDS
    found[near] = _near(size[near])
    middle = ~(near | far)
    found[middle] = 1 - _middle(size[middle])
    far &= size < _ONE  # beyond, erf is 1 to the last digit
    found[far] = 1 - _far(size[far])
    return np.copysign(found, x)


def _near(size: Array) -> Array:
    return size * _ratio(_NEAR, np.square(size))


def _middle(size: Array) -> Array:
    tail: Array = np.exp(-np.square(size)) * _ratio(_MIDDLE, size)
    return tail


def _far(size: Array) -> Array:
    inverse = 1 / np.square(size)
    tail: Array = np.exp(-np.square(size)) / size
    return tail * (1 / math.sqrt(math.pi) - inverse * _ratio(_FAR, inverse))


def _ratio(polynomials: Sequence[Sequence[float]], x: Array) -> Array:
    above, below = (_polynomial(coefficients, x) for coefficients in polynomials)
    return above / below


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value
