"""Holds at certain hours, whatever the market does."""

from traider import Bar, Context, Strategy


class CalendarHours(Strategy):
    def on_bar(self, bar: Bar, ctx: Context) -> None:
        hour = bar.ts_ns // 3_600_000_000_000 % 24
        ctx.target(self.quantity if hour in (0, 3, 7, 8, 13, 14, 21) else 0.0)
