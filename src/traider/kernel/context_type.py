"""``ctx`` in compiled code: the engine's record with the methods of ``traider.kernel.context``."""

from numba.np import numpy_support

from .context import METHODS
from .handles import handle
from .layout import CONTROLS, DESK, ORDER

DESK_TYPE = numpy_support.from_dtype(DESK)
CONTROLS_TYPE = numpy_support.from_dtype(CONTROLS)
ORDER_TYPE = numpy_support.from_dtype(ORDER)
as_context = handle("Context", DESK_TYPE, METHODS)
