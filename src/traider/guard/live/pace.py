"""How often the exchange is asked, and how long is waited: all times of the live guard in one place, in seconds."""

from dataclasses import dataclass

from traider.domain.vocabulary import OrderStatus

from .core import LiveGuard


@dataclass(frozen=True, slots=True)
class Pace:
    """Doubt and silence raise the rate; an account without open orders is looked at once a minute."""

    doubt_s: float = 1.0  # an order unknown, fills missing, a cancel under way, a gate closed that a look could open
    quiet_s: float = 5.0  # orders are open and the user channel is lost, or has said nothing for ``quiet_after_s``
    quiet_after_s: float = 60.0
    open_s: float = 30.0  # orders are open
    idle_s: float = 60.0
    between_looks_s: float = 0.2
    shortest_s: float = 0.001  # what is due within it is due
    cancel_again_s: float = 2.0
    retry_s: float = 0.5  # after a failure; doubled with each one more
    longest_retry_s: float = 30.0
    kill_alert_s: float = 5.0  # orders that are open so long after the kill switch are told of
    tick_s: float = 0.25
    venue_check_s: float = 30.0
    between_statuses_s: float = 5.0  # at least, between two questions that the stream of the markets' status has made be asked
    clock_offset_s: float = 5.0
    compare_s: float = 1.0  # the market's stream with what the exchange says, where the stream is quiet

    def look_again_s(self, guard: LiveGuard, silent_s: float) -> float:
        """When to ask how things stand, if nothing happens before."""
        books = guard.books
        unknown = any(order.status is OrderStatus.UNKNOWN for order in books.open.values())
        if unknown or guard.lagging or books.cancelling or books.amending or guard.is_unproven():
            return self.doubt_s
        if not books.open:
            return self.idle_s
        return self.open_s if guard.stream_live and silent_s < self.quiet_after_s else self.quiet_s
