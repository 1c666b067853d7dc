"""Doors to the order table and the controls, for code that is not compiled; addresses for records, as in ``traider.kernel.entry``."""

from typing import Any

from . import admission, controls, driver, grid, matching_book, orders, settle
from .book import ASK, BID, apply, clear, has_both, price_of, tick_of
from .context_type import CONTROLS_TYPE, ORDER_TYPE
from .entry import desk_at
from .jit import compiled
from .layout import ARRIVING, BOOK_CLEAR, BOOK_END, MATCHED, ORDER, RATE_WINDOW, WAITING
from .machine import record_at
from .risk import NONE, has_limit

controls_at = record_at(CONTROLS_TYPE)
order_at = record_at(ORDER_TYPE)

ROW_BYTES = ORDER.itemsize

# --- orders ----------------------------------------------------------------------------------------------------------


@compiled
def admit(address: int, controls_address: int, order_address: int, replaces: int) -> int:
    """NONE, or why the order may not go.

    ``replaces`` is the id of an open order whose place it would take, and which counts no more while that is asked; else 0.
    """
    desk = desk_at(address)
    if replaces == 0:
        return admission.admit(desk, controls_at(controls_address), order_at(order_address), 0)
    slot = orders.find(desk, replaces)
    if slot < 0:
        return admission.admit(desk, controls_at(controls_address), order_at(order_address), 0)
    replaced = desk.orders[slot]
    size = replaced.size
    replaced.size = replaced.filled
    orders.count_open(desk, replaced.inst)
    reason = admission.admit(desk, controls_at(controls_address), order_at(order_address), 1)
    replaced.size = size
    orders.count_open(desk, replaced.inst)
    return reason


@compiled
def submit(address: int, order_address: int) -> int:
    return settle.submit(desk_at(address), order_at(order_address))


@compiled
def submit_each(address: int, first_address: int, count: int) -> int:
    """Submits orders that lie one after the other until one is refused: how many were placed.

    Each is given the next ref. Its row's id is that of the placed order, and minus the reason of the one that was refused.
    """
    desk = desk_at(address)
    for i in range(count):
        order = order_at(first_address + i * ROW_BYTES)
        order.ref = desk.account.next_ref + 1
        order.id = settle.submit(desk, order)
        if order.id < 0:
            return i
        desk.account.next_ref = order.ref
    return count


@compiled
def reserve_each(address: int, controls_address: int, first_address: int, count: int) -> int:
    """As ``submit_each``, of orders that go to a venue elsewhere: what passes is in the table, so that it counts for the next one.

    It is asked and told to these controls; nothing of it is matched, and none gets a ref.
    """
    desk = desk_at(address)
    held_to = controls_at(controls_address)
    now_ns = desk.account.now_ns
    for i in range(count):
        order = order_at(first_address + i * ROW_BYTES)
        reason = admission.admit(desk, held_to, order, 0)
        if reason != NONE:
            order.id = -reason
            return i
        order.id = desk.account.next_id + 1
        _restore(desk, order, order.id, 0.0, now_ns)
        controls.note_placed(held_to, now_ns, order)
    return count


@compiled
def cancel(address: int, order_id: int, reason: int) -> bool:
    """Whether there was something left of it to be cancelled."""
    desk = desk_at(address)
    slot = orders.find(desk, order_id)
    if slot < 0 or desk.orders[slot].stage == MATCHED:
        return False
    settle.take_back(desk, slot, reason)
    return True


@compiled
def amend(address: int, order_id: int, size: float, price: float) -> bool:
    """Whether the order is open; what became of the amendment is in the log."""
    desk = desk_at(address)
    slot = orders.find(desk, order_id)
    if slot < 0:
        return False
    settle.send_amendment(desk, slot, size, price)
    return True


@compiled
def restore(address: int, order_address: int, order_id: int, filled: float, ts_ns: int) -> None:
    """Puts an order that is open elsewhere into the table, unchecked."""
    _restore(desk_at(address), order_at(order_address), order_id, filled, ts_ns)


@compiled
def _restore(desk: Any, row: Any, order_id: int, filled: float, ts_ns: int) -> None:
    account = desk.account
    orders.place(desk, row)
    order = desk.orders[account.open_orders - 1]
    order.id = order_id
    order.filled = filled
    order.ts_ns = ts_ns
    order.active_ns = ts_ns
    account.next_id = max(account.next_id, order_id)
    desk.submissions[(account.submissions - 1) % RATE_WINDOW] = ts_ns
    orders.count_open(desk, order.inst)


@compiled
def remove(address: int, order_id: int) -> bool:
    """Takes an order out of the table that has ended elsewhere; nothing follows from it here."""
    desk = desk_at(address)
    slot = orders.find(desk, order_id)
    if slot < 0:
        return False
    orders.take_out(desk, slot)
    return True


@compiled
def reshape(address: int, order_id: int, size: float, limit_price: float, stop_price: float) -> bool:
    """Has the order this size and these prices, as they are elsewhere; it keeps its place in the table."""
    desk = desk_at(address)
    slot = orders.find(desk, order_id)
    if slot < 0:
        return False
    order = desk.orders[slot]
    order.size = size
    order.limit_price = limit_price
    order.stop_price = stop_price
    order.tick = grid.ticks(desk, order.inst, limit_price) if has_limit(order.type) else 0
    orders.count_open(desk, order.inst)
    return True


@compiled
def release(address: int, order_id: int, most: float) -> bool:
    """The order that this one waits for was filled elsewhere, with so much: from now on it counts."""
    desk = desk_at(address)
    slot = orders.find(desk, order_id)
    if slot < 0 or desk.orders[slot].stage != WAITING:
        return False
    order = desk.orders[slot]
    desk.account.waiting -= 1
    order.stage = ARRIVING
    order.parent = 0
    order.size = min(order.size, most)
    orders.count_open(desk, order.inst)
    return True


@compiled
def restore_book(address: int, code: int, inst: int, price: float, size: float, side: float) -> None:
    """A row of the past of an order book: it is in the book again, and nothing is matched or marked."""
    desk = desk_at(address)
    book = matching_book.book_of(desk, inst)
    if code & BOOK_CLEAR:
        clear(book)
    apply(book, BID if side > 0.0 else ASK, tick_of(book, price), size)
    if code & BOOK_END and has_both(book):
        position = desk.positions[inst]
        position.bid = price_of(book, book.best[BID])
        position.ask = price_of(book, book.best[ASK])


@compiled
def advance(address: int, ts_ns: int) -> None:
    """What is under way arrives before this time, and the clock goes on to it."""
    driver.advance(desk_at(address), ts_ns)


# --- controls --------------------------------------------------------------------------------------------------------


@compiled
def check_controls(controls_address: int, address: int, now_ns: int, order_address: int, replaces: int) -> int:
    return controls.check_controls(controls_at(controls_address), desk_at(address), now_ns, order_at(order_address), replaces)


@compiled
def see_market(controls_address: int, inst: int, ts_ns: int, price: float) -> None:
    controls.see_market(controls_at(controls_address), inst, ts_ns, price)


@compiled
def note_placed(controls_address: int, now_ns: int, order_address: int) -> None:
    controls.note_placed(controls_at(controls_address), now_ns, order_at(order_address))


@compiled
def note_accepted(controls_address: int) -> None:
    controls.note_accepted(controls_at(controls_address))


@compiled
def note_amended(controls_address: int, now_ns: int) -> None:
    controls.note_amended(controls_at(controls_address), now_ns)


@compiled
def note_refused(controls_address: int, now_ns: int, reason: int) -> None:
    controls.note_refused(controls_at(controls_address), now_ns, reason)


@compiled
def note_executed(controls_address: int, now_ns: int) -> None:
    controls.note_executed(controls_at(controls_address), now_ns)


@compiled
def amend_reason(controls_address: int, now_ns: int) -> int:
    return controls.amend_reason(controls_at(controls_address), now_ns)
