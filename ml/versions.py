"""Versions of models from what they were made of: same rows and parameters, same version in every process."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt


def digest(description: Any, arrays: Iterable[npt.NDArray[Any]]) -> str:
    """12 hexadecimal digits over a description that JSON can hold and over the bytes of the arrays, in this order."""
    result = hashlib.blake2b(json.dumps(description, sort_keys=True).encode(), digest_size=6)
    for array in arrays:
        result.update(f"{array.dtype.str}{array.shape}".encode())
        # As bytes, because a buffer can't hold dates.
        result.update(np.ascontiguousarray(array).view(np.uint8).data)
    return result.hexdigest()
