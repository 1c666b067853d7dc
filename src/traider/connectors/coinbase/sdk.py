"""Coinbase's own SDK, which is an extra: imported when it is used, and made to log where everything else does."""

import importlib
import logging
from types import ModuleType

from traider.domain.errors import UserError


def sdk_module(name: str) -> ModuleType:
    """A module of the SDK; ``UserError`` says how to install it."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        raise UserError("USE_OFFICIAL_SDK needs Coinbase's SDK: pip install 'traider[sdk]'") from None
    for logger in ("coinbase.RESTClient", "coinbase.WSClient", "coinbase.WSUserClient"):
        # The SDK writes to stderr by itself, in a form of its own; without its handlers what it says goes the way of every message.
        logging.getLogger(logger).handlers.clear()
    return module
