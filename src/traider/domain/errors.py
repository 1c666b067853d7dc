"""Every error of the platform, in one tree; catch at the level that can act.

TraiderError
├── UserError               the input is wrong: one clear line, exit status 2, never a traceback
│   ├── DataError           a market data file: names file, row and remedy
│   ├── StrategyError       unknown strategy, bad parameter
│   │   └── CompileError    a construct that can't be compiled: file, line, what to write instead
│   └── SettingsError       the configuration; names every problem at once
├── JournalError            the journal can't be written or does not verify: nothing may be sent
├── LinkError               the connection to the guard: lost, refused, or speaking another version
├── RecordingError          a session's recording can't be written: the strategy decides nothing that was not recorded
├── StoreError              the state store: migration failed, not reachable
├── VenueError              an exchange: VenueRejectedError, VenueUnknownError, VenueUnavailableError (traider.domain.venue)
├── ProviderError           a provider of market data: RateLimitedError and others (traider.domain.history)
├── BusError                a consumer fell too far behind on a topic that must not lose anything
└── OrderStateError         an event that the order's state does not allow
"""


class TraiderError(Exception):
    """Anything that traider raises on purpose."""


class UserError(TraiderError):
    """Wrong input: the message says what, where and what to do."""


class DataError(UserError):
    """A market data file that can't be used."""


class StrategyError(UserError):
    """An unknown strategy, or a parameter it does not take."""


class CompileError(StrategyError):
    """A strategy that can't be compiled, told by file, line and construct."""


class SettingsError(UserError):
    """A configuration that can't be started with."""


class JournalError(TraiderError):
    """The journal can't be written, or its chain does not hold."""


class LinkError(TraiderError):
    """The connection to the guard is lost, refused, or speaks another version."""


class RecordingError(TraiderError):
    """What a session sees and asks for can't be written down."""


class StoreError(TraiderError):
    """The state store can't be used."""


class BusError(TraiderError):
    """A consumer fell too far behind on a topic that must not lose anything."""


class OrderStateError(TraiderError):
    """An event that the order's state does not allow."""
