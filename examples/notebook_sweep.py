"""A worked example of ``traider.sweep`` and ``traider.walkforward``: is the best of many trials more than luck?

    python -m examples.notebook_sweep [FOLDER]

sweeps the strategy of ``notebook_backtest.py`` over its made-up bars, with a permutation test, chooses parameters
walking forward, and writes ``trials.parquet`` to the folder (default: the current one). The same lines work in a notebook's cells.
"""

import sys
from pathlib import Path

import traider
from examples.notebook_backtest import Channel, made_up_bars
from traider.storage.table_file import write_table

GRID: dict[str, str | list[float]] = {"window": "60:480:60", "width": [1.0, 2.0, 4.0]}


def main(folder: Path, *, permutations: int = 9) -> traider.SweepRun:
    """Runs both, prints what they say, and writes the trials."""
    bars = made_up_bars()
    done = traider.sweep(Channel, bars, grid=GRID, permutations=permutations, seed=1, quantity=0.5, fee_taker=0.0005, symbol="BTC-USD")
    print(done)
    best = done.trials.sort_by([("final_equity", "descending")]).slice(0, 3)
    for trial in best.to_pylist():
        print(f"  window {trial['window']}, width {trial['width']:g}: {trial['net_profit']:+,.2f} after fees, {trial['fills']} fills")

    # How to read them: docs/honesty.md.
    if test := done.permutation_test:
        print(f"  {test.as_good} of {test.permutations} orders of the same bars had a best trial as good: p = {test.p_value:.2f}")

    walked = traider.walkforward(Channel, bars, grid=GRID, folds=4, ratio=2, quantity=0.5, fee_taker=0.0005, symbol="BTC-USD")
    print(walked)
    for fold in walked.folds.to_pylist():
        print(f"  window {fold['window']}, width {fold['width']:g}: training {fold['train_return']:+.2%}, then {fold['test_return']:+.2%}")

    write_table(folder / "trials.parquet", done.trials, "trials")
    return done


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
