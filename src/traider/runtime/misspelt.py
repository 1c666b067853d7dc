"""Variables that look like settings and are none: a limit with a slip in its name is a limit that is not there."""

import difflib
from collections.abc import Iterator, Mapping

import msgspec

from .settings import LiveSettings, RiskSettings, Section, variables

OURS = ("TRAIDER_", "COINBASE_", "VOLATILITY_", "MAX_")  # how only settings of ours begin, or nearly so
# Read where they are needed, and by no section.
_BESIDE = frozenset({"TRAIDER_CACHE_DIR", "TRAIDER_GUARD_KEY_FILE", "TRAIDER_GUARD_KEY_NAME"})
_ALIKE = 0.75  # of all characters: MAX_DAILYLOSS, MAX_ORDERS_PER_HOUR, LIVE_TRADING are; HTTP_PORT, MAX_JOBS are not


class Misspelt(msgspec.Struct, frozen=True, kw_only=True):
    """A variable that is set and that nothing reads. ``meant`` is the setting whose name is nearest, empty where none is near."""

    name: str
    meant: str

    @property
    def holds_back(self) -> bool:
        """Whether nobody should trade with money before this is cleared up: what was meant is a limit, or a switch of live trading."""
        return self.meant in _names(RiskSettings) | _names(LiveSettings)

    def __str__(self) -> str:
        return f"{self.name} is no setting and does nothing{f': did you mean {self.meant}?' if self.meant else ''}"


def misspelt(environment: Mapping[str, str]) -> Iterator[Misspelt]:
    """Every variable that nothing reads and whose name is nearly that of a setting, or begins as only settings do."""
    known = {_plain(name): name for name in variables()}
    read = {*known.values(), *_BESIDE}
    for name in sorted(environment):
        if name in read or not environment[name].strip():
            continue
        near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=_ALIKE)
        if near or name.upper().startswith(OURS):
            yield Misspelt(name=name, meant=known[near[0]] if near else "")


def _plain(name: str) -> str:
    return name.upper().replace("_", "").replace("-", "")


def _names(section: type[Section]) -> set[str]:
    return {str(field.validation_alias) for field in section.model_fields.values()}
