"""What a command says of variables that look like settings and are none."""

from collections.abc import Mapping

from structlog import get_logger

from traider.domain.errors import SettingsError
from traider.runtime.misspelt import misspelt

log = get_logger("traider.settings")


def warn_misspelt(environment: Mapping[str, str]) -> None:
    """Logs each."""
    for slip in misspelt(environment):
        log.warning(str(slip))


def refuse_misspelt(environment: Mapping[str, str]) -> None:
    """Logs each; ``SettingsError`` where a limit or a switch of live trading was meant: nobody trades with money on a slip."""
    warn_misspelt(environment)
    told = [str(slip) for slip in misspelt(environment) if slip.holds_back]
    if told:
        raise SettingsError("; ".join(told))
