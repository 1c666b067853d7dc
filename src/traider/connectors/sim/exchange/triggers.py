"""Faults by the last four digits of an order's size, counted in the product's increments: for clients that reach no control API."""

from typing import Any

from .units import parse_atoms

TRIGGERS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "9001": ("the connection is cut before the order is taken", [{"do": "drop_reply", "when": "before_apply"}]),
    "9002": ("the order is taken, and the answer lost", [{"do": "drop_reply", "when": "after_apply"}]),
    "9003": ("500, the order is not taken", [{"do": "status", "code": 500}]),
    "9004": ("503, the order is taken", [{"do": "status", "code": 503, "applied": True}]),
    "9005": ("200 with a page of HTML, the order is taken", [{"do": "mutate", "html": True}]),
    "9006": ("success without an order id", [{"do": "mutate", "remove": ["success_response.order_id"]}]),
    "9007": ("the answer comes 3 s late", [{"do": "delay", "when": "after_apply", "seconds": 3}]),
    "9008": ("REST does not show the order for 3 s", [{"do": "hide", "what": "order", "seconds": 3}]),
    "9009": ("REST does not show its fills for 3 s", [{"do": "hide", "what": "fill", "seconds": 3}]),
    "9010": ("it is filled when it is cancelled", [{"do": "fill", "on": "cancel"}]),
    "9011": ("half of it is filled when it is cancelled", [{"do": "fill", "on": "cancel", "fraction": 0.5}]),
    "9012": ("429, the order is not taken", [{"do": "status", "code": 429}]),
    "9013": ("the account's sockets are reset", [{"do": "ws.drop", "when": "before_apply"}]),
    "9014": ("the account's user channel goes silent", [{"do": "ws.stall", "channels": ["user"], "when": "before_apply"}]),
    "9015": ("the account's sockets lose a numbered message", [{"do": "ws.skip", "count": 1, "when": "before_apply"}]),
    "9016": ("the account's sockets get a message twice", [{"do": "ws.dup", "count": 1, "when": "before_apply"}]),
    "9017": ("the order is forgotten", [{"do": "forget"}]),
}


def increments(size: str, step: int) -> int:
    """How many increments a size is; 0 where it is no size. However it is written: a client may leave out the zeros at its end."""
    return (parse_atoms(size) or 0) // step


def trigger_rule(count: int) -> list[dict[str, Any]] | None:
    """The rules that a size of so many increments asks for; None where it asks for none."""
    known = TRIGGERS.get(f"{count % 10_000:04d}")
    return known[1] if known is not None else None
