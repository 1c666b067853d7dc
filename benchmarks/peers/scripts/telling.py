"""What every peer's script is asked with, and what it answers: one JSON object on the last line of its output.

These scripts run in environments of the peers' own, where traider is not; ``benchmarks.race`` starts them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def asked() -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of the market data (a folder of ``.npy`` files) and the settings (a JSON object)."""
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    rows = settings.get("rows")
    return {path.stem: np.load(path)[:rows] for path in sorted(folder.glob("*.npy"))}, settings


def tell(*, engine_seconds: float, events: int, fills: int, fees: float, equity: float, **more: Any) -> None:
    """``engine_seconds`` is the run itself: no start-up, no making of the peer's own data objects, no compilation."""
    answer = {"engine_seconds": engine_seconds, "ns": engine_seconds / events * 1e9, "events": events}
    print(json.dumps({**answer, "fills": int(fills), "fees": float(fees), "equity": float(equity), **more}))
