/** Exact decimals as text for a person. Signs are the typographic minus, groups are commas, the point is a point. */

import { abs, type Decimal, parse, round, shift, sign, split } from "./decimal";

export const NOTHING = "–";
const MINUS = "−";

export interface NumberFormat {
  /** Digits after the point: at least, at most. What is beyond is rounded; zeros beyond the least are dropped. */
  readonly least?: number;
  readonly most?: number;
  /** "always" writes + before a positive number. */
  readonly signs?: "negative" | "always";
}

export type Numeric = string | Decimal | null | undefined;

function decimalOf(value: Numeric): Decimal | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? parse(value) : value;
}

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function prefix(value: Decimal, signs: NumberFormat["signs"]): string {
  const direction = sign(value);
  if (direction < 0) return MINUS;
  return signs === "always" && direction > 0 ? "+" : "";
}

/** `value` with grouped digits. A number that rounds to zero has no sign. */
export function formatNumber(value: Numeric, { least = 0, most = Infinity, signs = "negative" }: NumberFormat = {}): string {
  const exact = decimalOf(value);
  if (exact === null) return NOTHING;
  const rounded = most === Infinity ? exact : round(exact, most);
  const { whole, fraction } = split(rounded);
  const kept = fraction.replace(/0+$/, "").padEnd(least, "0");
  return prefix(rounded, signs) + group(whole) + (kept === "" ? "" : `.${kept}`);
}

/** How many digits after the point keep `significant` digits of `value`, at least two. */
export function fractionDigits(value: Decimal, significant: number): number {
  const { whole, fraction } = split(abs(value));
  if (whole !== "0") return Math.max(2, significant - whole.length);
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0;
  return zeros === fraction.length ? 2 : zeros + significant;
}

/** A price: two digits after the point or as many as seven significant digits need. */
export function formatPrice(value: Numeric): string {
  const exact = decimalOf(value);
  return exact === null ? NOTHING : formatNumber(exact, { least: 2, most: fractionDigits(exact, 7) });
}

export function formatMoney(value: Numeric, signs: NumberFormat["signs"] = "negative"): string {
  return formatNumber(value, { least: 2, most: 2, signs });
}

/** A fee: cents, or below one four significant digits. */
export function formatFee(value: Numeric): string {
  const exact = decimalOf(value);
  if (exact === null) return NOTHING;
  const most = split(exact).whole === "0" ? Math.min(8, fractionDigits(exact, 4)) : 2;
  return formatNumber(exact, { least: 2, most });
}

/** A size: exact, zeros at the end dropped. */
export function formatSize(value: Numeric, signs: NumberFormat["signs"] = "negative"): string {
  return formatNumber(value, { signs });
}

/** A fraction as a percentage. */
export function formatPercent(value: Numeric, signs: NumberFormat["signs"] = "negative", digits = 2): string {
  const exact = decimalOf(value);
  return exact === null ? NOTHING : `${formatNumber(shift(exact, 2), { least: digits, most: digits, signs })} %`;
}

/** A sum of sizes, which is a float at its source: no size has more than eight decimals, so what is behind them is the sum's rounding. */
export function formatFloatSize(value: number): string {
  return Number.isFinite(value) ? formatNumber(value.toFixed(12), { most: 8 }) : NOTHING;
}

/** The float `value` with the digits JavaScript needs to spell it: for market prices, which are floats at their source. */
export function formatFloatPrice(value: number): string {
  return Number.isFinite(value) ? formatPrice(String(value)) : NOTHING;
}

/** -1, 0 or 1; 0 also for what is no number. */
export function direction(value: Numeric): -1 | 0 | 1 {
  const exact = decimalOf(value);
  return exact === null ? 0 : sign(exact);
}
