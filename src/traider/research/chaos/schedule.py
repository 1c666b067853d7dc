"""What goes wrong, and when: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from .fate import POINTS

FAULTS_S = 45.0  # faults begin within this time
Args = dict[str, Any]
_CREATE = {"method": "POST", "path": "/orders"}
_CANCEL = {"method": "POST", "path": "/orders/batch_cancel"}
_EDIT = {"method": "POST", "path": "/orders/edit"}
_LIST = {"method": "GET", "path": "/orders/historical/batch"}
_ORDER = {"method": "GET", "path": "/orders/historical/*-*"}
_FILLS = {"method": "GET", "path": "/orders/historical/fills"}
_ACCOUNTS = {"method": "GET", "path": "/accounts"}
_TIME = {"method": "GET", "path": "/time"}
_CALLS = (_CREATE, _CREATE, _CREATE, _CREATE, _CANCEL, _CANCEL, _EDIT, _LIST, _ORDER, _FILLS, _FILLS, _ACCOUNTS, _TIME)


class Happening(NamedTuple):
    """At this time the machine's ``do`` is carried out: a rule of the exchange's fault API, or something done to this side."""

    at_s: float
    do: str
    args: Args


def schedule(randomness: random.Random) -> list[Happening]:
    """In the order of time. Whatever lasts ends by itself, or by the end of the schedule."""
    count = randomness.randint(2, 24)
    happenings = []
    for _ in range(count):
        draw = randomness.choices([draw for draw, _ in _DRAWS], [weight for _, weight in _DRAWS])[0]
        do, args = draw(randomness)
        happenings.append(Happening(randomness.uniform(2.0, FAULTS_S), do, args))
    return sorted(happenings, key=lambda happening: happening.at_s)


def _lost(r: random.Random) -> tuple[str, Args]:
    when = r.choice(("before_apply", "after_apply"))
    return "exchange", {"match": r.choice(_CALLS), "do": "drop_reply", "when": when, "times": r.randint(1, 3)}


def _status(r: random.Random) -> tuple[str, Args]:
    code, applied = r.choice((429, 500, 502, 503, 504, 401)), r.random() < 0.5
    return "exchange", {"match": r.choice(_CALLS), "do": "status", "code": code, "applied": applied, "times": r.randint(1, 4)}


def _storm(r: random.Random) -> tuple[str, Args]:
    return "storm", {"code": r.choice((429, 503)), "seconds": r.uniform(3.0, 30.0)}


def _mutated(r: random.Random) -> tuple[str, Args]:
    how: Args = r.choice(
        (
            {"html": True},
            {"truncate": r.randint(1, 60)},
            {"remove": "success_response.order_id"},
            {"null": "success_response"},
            {"null": "results"},
            {"rename": {"success": "ok"}},
        )
    )
    return "exchange", {"match": r.choice((_CREATE, _CREATE, _CANCEL, _LIST, _FILLS)), "do": "mutate", **how}


def _delayed(r: random.Random) -> tuple[str, Args]:
    when = r.choice(("before_apply", "after_apply"))
    return "exchange", {"match": r.choice(_CALLS), "do": "delay", "when": when, "seconds": r.choice((0.2, 1.0, 3.0, 8.0))}


def _drip(r: random.Random) -> tuple[str, Args]:
    return "exchange", {"match": r.choice(_CALLS), "do": "slow_drip", "bytes_per_s": r.choice((20.0, 200.0))}


def _half_closed(r: random.Random) -> tuple[str, Args]:
    return "exchange", {"match": r.choice((_LIST, _FILLS, _ACCOUNTS)), "do": "close_after_reply"}


def _hidden(r: random.Random) -> tuple[str, Args]:
    what = r.choice(("order", "fill"))
    return "exchange", {"match": _CREATE, "do": "hide", "what": what, "seconds": r.uniform(0.5, 4.0), "times": r.randint(1, 3)}


def _filled(r: random.Random) -> tuple[str, Args]:
    return "exchange", {"do": "fill", "on": r.choice(("cancel", "cancel", "edit")), "fraction": r.choice((0.3, 1.0))}


def _socket(r: random.Random) -> tuple[str, Args]:
    channel = r.choice(("user", "user", "market_trades", ""))
    who: Args = {"channel": channel} if channel else {}
    act: Args = r.choice(
        (
            {"do": "ws.drop"},
            {"do": "ws.drop", "no_close": True},
            {"do": "ws.close", "code": r.choice((1000, 1001, 1011))},
            {"do": "ws.skip", "count": r.randint(1, 3)},
            {"do": "ws.skip", "count": r.randint(1, 3), "numbered": False},
            {"do": "ws.dup", "count": r.randint(1, 3)},
            {"do": "ws.reorder", "count": r.randint(2, 4)},
            {"do": "ws.garbage", "count": 1},
            {"do": "ws.truncate", "count": 1},
            {"do": "ws.delay", "count": r.randint(1, 5), "seconds": r.uniform(0.5, 4.0)},
        )
    )
    return "exchange", who | act


def _stall(r: random.Random) -> tuple[str, Args]:
    return "exchange", {"do": "ws.stall", "channels": [r.choice(("user", "market_trades", "level2", "heartbeats"))]}


def _lasting(do: str, least_s: float, most_s: float, **args: Any) -> Callable[[random.Random], tuple[str, Args]]:
    return lambda r: (do, {"seconds": r.uniform(least_s, most_s), **args})


def _scopes(r: random.Random) -> tuple[str, Args]:
    return "scopes", {"seconds": r.uniform(1.0, 40.0), "scopes": r.choice((["view"], ["view", "trade", "transfer"]))}


def _product(r: random.Random) -> tuple[str, Args]:
    flag = r.choice(("trading_disabled", "is_disabled", "cancel_only", "post_only", "limit_only", "cancels_rejected"))
    return "product", {"seconds": r.uniform(1.0, 15.0), "flag": flag}


def _clock(r: random.Random) -> tuple[str, Args]:
    return "clock", {"offset_s": r.choice((-90.0, -20.0, -3.0, 3.0, 20.0, 90.0)), "seconds": r.uniform(1.0, 30.0)}


def _by_hand(r: random.Random) -> tuple[str, Args]:
    return r.choice((("sell by hand", {"size": r.randint(50, 500), "limit": r.random() < 0.5}), ("cancel by hand", {})))


def _money(r: random.Random) -> tuple[str, Args]:
    return "money", {"delta": r.choice(("250.5", "-250.25"))}


def _killed(r: random.Random) -> tuple[str, Args]:
    torn = r.choice((b"", b"", b'{"n":99,"left":0,"wall_ns":17', b"\x00\xff"))
    return "kill", {"point": r.choice(POINTS), "after": r.randint(1, 6), "down_s": r.choice((0.5, 2.0, 10.0)), "torn": torn}


_DRAWS: tuple[tuple[Callable[[random.Random], tuple[str, Args]], int], ...] = (
    (_lost, 8),
    (_status, 6),
    (_storm, 1),
    (_mutated, 4),
    (_delayed, 5),
    (_drip, 1),
    (_half_closed, 1),
    (_hidden, 4),
    (_filled, 3),
    (_socket, 7),
    (_stall, 2),
    (_lasting("unplug", 0.5, 15.0), 2),
    (_lasting("maintenance", 2.0, 15.0), 1),
    (_lasting("revoke", 0.5, 40.0), 1),
    (_scopes, 1),
    (_product, 2),
    (_clock, 2),
    (_by_hand, 3),
    (_money, 1),
    (_killed, 8),
    (_lasting("disk full", 0.5, 8.0), 2),
    (_lasting("trader hangs", 1.0, 10.0), 1),
    (lambda _r: ("trader dies", {}), 2),
    (_lasting("kill switch", 1.0, 10.0), 1),
)
