"""``ctx`` in compiled code: the engine's record with the methods of ``traider.kernel.context``."""

from numba.np import numpy_support

from .context import METHODS
from .handles import handle
from .layout import DESK

DESK_TYPE = numpy_support.from_dtype(DESK)
as_context = handle("Context", DESK_TYPE, METHODS)
