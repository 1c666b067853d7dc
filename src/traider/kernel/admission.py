"""Whether an order may go: the risk check, and after it the controls. What every venue asks, simulated or real."""

from typing import Any

from .controls import check_controls
from .jit import compiled
from .risk import NONE, check


@compiled
def admit(desk: Any, controls: Any, order: Any, replaces: int) -> int:
    """NONE, or the reason why this order may not go; ``replaces`` as for ``risk.check``."""
    reason = check(desk, order, replaces)
    if reason != NONE:
        return int(reason)
    if controls.on == 0:
        return NONE
    return int(check_controls(controls, desk, desk.account.now_ns, order, replaces))
