"""Models as bytes without pickle: loading runs no code but the types that the model's module names as trusted."""

from collections.abc import Sequence
from typing import Any

from skops import io  # type: ignore[import-untyped]
from skops.io.exceptions import UntrustedTypesFoundException  # type: ignore[import-untyped]

from ml.errors import ModelInputError

# What scikit-learn's gradient boosting is made of, beside what skops trusts by itself.
BOOSTING = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)


def dumps(model: object) -> bytes:
    """Return a model as the bytes of a skops file."""
    return bytes(io.dumps(model))


def loads(data: bytes, trusted: Sequence[str]) -> Any:
    """Return the model of a skops file.

    Raises:
        ModelInputError: the file asks for a type that is not trusted; nothing of it has been loaded then.
    """
    try:
        return io.loads(data, trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        found = sorted(set(io.get_untrusted_types(data=data)) - set(trusted))
        raise ModelInputError(
            f"the stored model holds {', '.join(found)}, which its module does not name in TRUSTED; train it anew"
        ) from error
