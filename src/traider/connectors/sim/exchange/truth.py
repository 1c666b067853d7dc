"""What really happened, for tests to compare with: bounded, with counts of everything."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from . import shapes
from .calls import Call
from .exchange import Exchange
from .orders import Fill
from .session import Session
from .units import text

MOST_BYTES = 64 * 1024 * 1024  # of bodies and messages, per kind of record


@dataclass(slots=True)
class Ring:
    """The last so many records, each with its number; ``count`` is of all there ever were."""

    most: int
    most_bytes: int = MOST_BYTES
    count: int = 0
    items: deque[dict[str, Any]] = field(default_factory=deque)
    _sizes: deque[int] = field(default_factory=deque)
    _bytes: int = 0

    def add(self, record: dict[str, Any], size: int = 0) -> dict[str, Any]:
        """``size`` is how many bytes of a client's making are in it: of those, too, only so many are kept."""
        self.count += 1
        record["number"] = self.count
        self.items.append(record)
        self._sizes.append(size)
        self._bytes += size
        while len(self.items) > self.most or self._bytes > self.most_bytes:
            self.items.popleft()
            self._bytes -= self._sizes.popleft()
        return record

    def clear(self) -> None:
        self.items.clear()
        self._sizes.clear()
        self.count = self._bytes = 0

    def since(self, number: int) -> list[dict[str, Any]]:
        return [record for record in self.items if record["number"] > number]


class Truth:
    """The exchange's own log of requests, fills and sockets; orders and balances are told as they are.

    With a ``file`` every request and fill is also appended to it, one JSON object a line, whatever falls out of memory.
    """

    def __init__(self, exchange: Exchange, file: Path | None = None) -> None:
        most = exchange.config.bounds.truth
        self._exchange = exchange
        self._file: IO[bytes] | None = file.open("ab") if file is not None else None
        self.requests, self.fills, self.sockets = Ring(most), Ring(most), Ring(most)
        self.sessions: dict[int, Session] = {}
        exchange.fill_observers.append(self._filled)

    def received(self, call: Call) -> dict[str, Any]:
        """A request, before anything is done about it; what comes of it is written into the record."""
        return self.requests.add(
            {
                "ts_ns": self._exchange.now_ns(),
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "body": call.body.decode("utf-8", "backslashreplace"),
                "account": None,
                "key": None,
                "status": None,  # what was answered; None: nothing was
                "applied": False,
                "faults": [],
            },
            len(call.body),
        )

    def finished(self, record: dict[str, Any]) -> None:
        self._write("request", record)

    def opened(self, session: Session) -> None:
        self.sessions[session.number] = session
        self.sockets.add({"ts_ns": self._exchange.now_ns(), "what": "opened", "session": session.number, "address": session.address})

    def closed(self, session: Session) -> None:
        if self.sessions.pop(session.number, None) is not None:
            told = dict(session.sent)
            self.sockets.add({"ts_ns": self._exchange.now_ns(), "what": "closed", "session": session.number, "sent": told})

    def asked(self, session: Session, message: str | bytes) -> None:
        """A socket's request; without its token."""
        try:
            told = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = None
        if isinstance(told, dict):
            told.pop("jwt", None)
        record = {"ts_ns": self._exchange.now_ns(), "what": "message", "session": session.number, "message": told}
        self.sockets.add(record, len(message))

    def _filled(self, fill: Fill) -> None:
        record = shapes.fill(fill) | {"account": fill.order.account.name, "client_order_id": fill.order.client_order_id}
        self._write("fill", self.fills.add(record))

    def _write(self, kind: str, record: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode({"kind": kind} | record) + b"\n")
            self._file.flush()

    def report(self, *, since: int = 0, account: str = "") -> dict[str, Any]:
        """Everything; of requests, fills and sockets those with a greater number than ``since``."""
        exchange = self._exchange
        accounts = [owner for owner in exchange.accounts.values() if account in ("", owner.name)]
        return {
            "now_ns": exchange.now_ns(),
            "counts": {
                "requests": self.requests.count,
                "orders": exchange.order_count,
                "fills": self.fills.count,
                "sockets": self.sockets.count,
            },
            "requests": [r for r in self.requests.since(since) if account in ("", r["account"])],
            "fills": [f for f in self.fills.since(since) if account in ("", f["account"])],
            "orders": [shapes.order(order) | {"account": owner.name} for owner in accounts for order in owner.orders.values()],
            "balances": {
                owner.name: {
                    wallet.currency: {"available": text(wallet.available), "hold": text(wallet.hold)} for wallet in owner.wallets.values()
                }
                for owner in accounts
            },
            "ledger": {currency: text(total) for currency, total in exchange.ledger.totals(exchange.accounts.values()).items()},
            "sockets": self.sockets.since(since),
            "sessions": [
                {
                    "session": session.number,
                    "account": session.key.account.name if session.key else None,
                    "channels": {channel: sorted(names) for channel, names in session.channels.items()},
                    "sent": dict(session.sent),
                }
                for session in self.sessions.values()
            ],
        }

    def reset(self) -> None:
        for ring in (self.requests, self.fills, self.sockets):
            ring.clear()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
