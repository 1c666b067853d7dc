"""What travels on the bus, by topic. Versioned: a field is added with a default or the version goes up.

| topic         | payload        | meaning                                                    |
|---------------|----------------|------------------------------------------------------------|
| ``market``    | MarketEvent    | every market event that the trader has processed           |
| ``orders``    | AnyOrderEvent  | every order event of the guard, in the journal's order     |
| ``account``   | AccountState   | after each change, at most ten a second                    |
| ``risk``      | RiskState      | after each change                                          |
| ``system``    | SystemEvent    | started, stopped, guard lost, guard back, trader behind    |
"""

import msgspec

SCHEMA_VERSION = 1

MARKET = "market"
ORDERS = "orders"
ACCOUNT = "account"
RISK = "risk"
SYSTEM = "system"


class SystemEvent(msgspec.Struct, frozen=True, kw_only=True):
    ts_ns: int
    component: str
    state: str  # "up" | "down" | "degraded"
    detail: str
