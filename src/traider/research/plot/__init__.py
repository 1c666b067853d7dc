"""Results as PNG pictures, to show around: each says what it was made of. Needs matplotlib, which comes with ``traider[plot]``."""

from .backtest import write_backtest_plot as write_backtest_plot
from .frame import check_plot_path as check_plot_path
from .sweep import write_sweep_plot as write_sweep_plot
