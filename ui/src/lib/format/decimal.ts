/**
 * Arithmetic on the API's decimal strings, without a float in between: a bigint of digits and the number of them after the point.
 */

export interface Decimal {
  readonly digits: bigint; // signed
  readonly scale: number; // how many of the digits stand after the point; never negative
}

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const TEN = BigInt(10);
const ZERO = BigInt(0);

function pow10(exponent: number): bigint {
  return TEN ** BigInt(exponent);
}

/** The number that `text` spells, or null when it spells none. */
export function parse(text: string): Decimal | null {
  const match = FORM.exec(text.trim());
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return null;
  const magnitude = BigInt(whole + fraction);
  const digits = sign === "-" ? -magnitude : magnitude;
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { digits, scale } : { digits: digits * pow10(-scale), scale: 0 };
}

function atScale(value: Decimal, scale: number): bigint {
  return value.digits * pow10(scale - value.scale);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: atScale(a, scale) + atScale(b, scale), scale };
}

export function negate(a: Decimal): Decimal {
  return { digits: -a.digits, scale: a.scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b));
}

/** -1, 0 or 1. */
export function sign(value: Decimal): -1 | 0 | 1 {
  if (value.digits === ZERO) return 0;
  return value.digits < ZERO ? -1 : 1;
}

export function abs(value: Decimal): Decimal {
  return value.digits < ZERO ? negate(value) : value;
}

/** `value` x 10^places, exactly: a fraction becomes a percentage with 2. */
export function shift(value: Decimal, places: number): Decimal {
  const scale = value.scale - places;
  return scale >= 0 ? { digits: value.digits, scale } : { digits: value.digits * pow10(-scale), scale: 0 };
}

function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < ZERO !== denominator < ZERO;
  const n = numerator < ZERO ? -numerator : numerator;
  const d = denominator < ZERO ? -denominator : denominator;
  const quotient = (n * BigInt(2) + d) / (d * BigInt(2));
  return negative ? -quotient : quotient;
}

/** `value` with at most `scale` digits after the point; a half goes away from zero. */
export function round(value: Decimal, scale: number): Decimal {
  if (value.scale <= scale) return value;
  return { digits: divideRounded(value.digits, pow10(value.scale - scale)), scale };
}

/** a / b with `scale` digits after the point, or null when b is zero. */
export function divide(a: Decimal, b: Decimal, scale: number): Decimal | null {
  if (b.digits === ZERO) return null;
  const exponent = scale + b.scale - a.scale;
  const numerator = exponent >= 0 ? a.digits * pow10(exponent) : a.digits;
  const denominator = exponent >= 0 ? b.digits : b.digits * pow10(-exponent);
  return { digits: divideRounded(numerator, denominator), scale };
}

/** The nearest float, for drawing only. */
export function toNumber(value: Decimal): number {
  return Number(`${value.digits}e${-value.scale}`);
}

/** The digits before and after the point, without a sign. */
export function split(value: Decimal): { whole: string; fraction: string } {
  const digits = abs(value).digits.toString().padStart(value.scale + 1, "0");
  const point = digits.length - value.scale;
  return { whole: digits.slice(0, point), fraction: digits.slice(point) };
}
