"""Messages of a book, as the venue writes them."""

import msgspec


def frame_of(*rows: tuple[str, str, str], event_time: str = "2026-08-09T21:05:48.554374Z", **fields: str) -> bytes:
    """A message number 7 of these levels: side, price, size."""
    updates = [{"side": side, "event_time": event_time, "price_level": price, "new_quantity": size} for side, price, size in rows]
    event = {"type": fields.get("type", "snapshot"), "product_id": fields.get("product_id", "BTC-USD"), "updates": updates}
    timestamp = fields.get("timestamp", "2031-03-04T05:06:07.5Z")
    return msgspec.json.encode({"channel": "l2_data", "timestamp": timestamp, "sequence_num": 7, "events": [event]})
