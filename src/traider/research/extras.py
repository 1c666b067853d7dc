"""Libraries that only some commands need: loaded when they are used, and missed in words that say how to get them."""

import importlib
from typing import Any

from traider.domain.errors import UserError


def load(module: str, *, extra: str, wanted_by: str) -> Any:
    """The module; a UserError that names the extra when its library isn't installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # it is there and lacks something of its own: a broken installation, and no choice of the user's
        raise UserError(f"{wanted_by} needs {module.partition('.')[0]}, which is not installed: pip install 'traider[{extra}]'") from None
