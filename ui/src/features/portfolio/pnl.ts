import { add, type Decimal, divide, negate, parse, subtract } from "@/lib/format/decimal";

import type { Portfolio, Position } from "./types";

const ZERO: Decimal = { digits: BigInt(0), scale: 0 };

function exact(text: string): Decimal {
  return parse(text) ?? ZERO;
}

/** What all positions would gain if they were closed at the mark, before fees. */
export function unrealized({ positions }: Portfolio): Decimal {
  return positions.reduce((total, position) => add(total, exact(position.unrealized_pnl)), ZERO);
}

/** What a position has brought in all: realised and unrealised, less its fees. */
export function netPnl({ realized_pnl, unrealized_pnl, fees }: Position): Decimal {
  return subtract(add(exact(realized_pnl), exact(unrealized_pnl)), exact(fees));
}

/** Today's result as a fraction of the equity at the start of the day; null when there was none. */
export function dailyReturn({ equity, daily_pnl }: Portfolio): Decimal | null {
  const result = exact(daily_pnl);
  return divide(result, add(exact(equity), negate(result)), 8);
}

export function isFlat({ size }: Position): boolean {
  return exact(size).digits === BigInt(0);
}
