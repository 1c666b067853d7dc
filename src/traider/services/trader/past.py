"""What has happened already, shown again: to a strategy that is made anew, and to a guard that has lost its books."""

from collections.abc import Callable, Mapping, Sequence

from structlog import get_logger

from traider.domain.guard_protocol import MarketEvent, PastEvent
from traider.domain.orders import AnyOrderEvent, OrderAmended, OrderRejected, OrderRequest, OrderSubmitted
from traider.domain.vocabulary import BOOK_CLEAR, Reason
from traider.engine.live import AmendOrder, CancelOrder, LiveSession, Wish
from traider.engine.recorded import RecordedSession
from traider.guard.client import GuardClient

from .plan import MarketSource

log = get_logger("traider.trader")

ROWS_A_TIME = 4096
Moment = tuple[int, int]  # the index of a market event, and how many timers have fired since


async def give_back_books(client: GuardClient, source: MarketSource, last: int, missing: set[str]) -> None:
    """From the last snapshot of each book on; from the first event where one never had any."""
    start = last + 1
    while start > 0 and missing:
        block = source.history(max(0, start - ROWS_A_TIME), start)
        missing -= {event.symbol for event in block if event.flags & BOOK_CLEAR}
        start = max(0, start - ROWS_A_TIME)
    for first in range(start, last + 1, ROWS_A_TIME):
        await client.restore_book(source.history(first, min(first + ROWS_A_TIME, last + 1)))


def note_known(event: AnyOrderEvent, known: set[str]) -> None:
    """What the guard has heard of: orders and amendments, by their ids."""
    if isinstance(event, OrderSubmitted | OrderRejected):
        known.add(event.client_order_id)
    elif isinstance(event, OrderAmended) and event.amend_id:
        known.add(event.amend_id)


def unheard_of(wanted: Sequence[Wish], known: set[str]) -> list[Wish]:
    """Without the orders and amendments that the guard has heard of; a cancel may be told again."""
    return [
        one
        for one in wanted
        if isinstance(one, CancelOrder) or (one.amend_id if isinstance(one, AmendOrder) else one.client_order_id) not in known
    ]


def step_again(
    strategy: LiveSession | RecordedSession, event: MarketEvent, happened: Sequence[PastEvent], known: set[str], *, is_last: bool
) -> list[Wish]:
    """One market event of the past with what came of it; what the guard has not heard of is asked for only at the last one."""
    return _decide_again(strategy, event, lambda: strategy.on_market(event), happened, known, is_last=is_last)


def fire_again(
    strategy: LiveSession | RecordedSession,
    event: MarketEvent,
    moment: Moment,
    past: Mapping[Moment, Sequence[PastEvent]],
    known: set[str],
    *,
    is_last: bool,
) -> list[Wish]:
    """As ``step_again``, for a timer of the past."""
    return _decide_again(strategy, event, lambda: strategy.on_timer(*moment), past.get(moment, ()), known, is_last=is_last)


def _decide_again(
    strategy: LiveSession | RecordedSession,
    event: MarketEvent,
    decide: Callable[[], list[Wish]],
    happened: Sequence[PastEvent],
    known: set[str],
    *,
    is_last: bool,
) -> list[Wish]:
    for one in happened:
        if one.matched:
            strategy.on_order_event(one.event)
    wanted = decide()
    for one in happened:
        if not one.matched:
            strategy.on_order_event(one.event)
    if is_last:
        return unheard_of(wanted, known)
    unheard = [one for one in wanted if isinstance(one, OrderRequest) and one.client_order_id not in known]
    if unheard:
        log.warning("the strategy decided otherwise than it had", index=event.index, orders=[one.client_order_id for one in unheard])
    for request in unheard:
        strategy.on_order_event(not_sent(request, event.ts_ns))
    return []


def not_sent(request: OrderRequest, ts_ns: int) -> OrderRejected:
    """As the strategy is told of an order that this process kept to itself."""
    return OrderRejected(
        n=0, ts_ns=ts_ns, client_order_id=request.client_order_id, reason=Reason.NOT_SENT, detail="of the past", request=request
    )
