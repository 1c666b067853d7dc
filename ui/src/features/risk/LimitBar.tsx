import { divide, parse, sign, toNumber } from "@/lib/format/decimal";
import { formatMoney, formatNumber, formatPercent, formatSize } from "@/lib/format/number";

import type { Limit } from "./types";

const NEAR = 0.6;
const CLOSE = 0.9;

/** How much of the limit is used: 1 is all of it. */
export function usedShare({ limit, used }: Limit): number | null {
  const [whole, part] = [limit === null ? null : parse(limit), parse(used)];
  if (whole === null || part === null) return null;
  const share = divide(part, whole, 6);
  if (share === null) return toNumber(part) > 0 ? 1 : 0;
  return Math.max(0, toNumber(share));
}

/** `value` as a person reads it in the limit's unit. */
export function inUnit(value: string | null, unit: string, currency: string | undefined): string {
  if (value === null) return "–";
  if (unit === "fraction") return formatPercent(value);
  if (unit === currency) return formatMoney(value);
  return unit.startsWith("orders") ? formatNumber(value, { most: 1 }) : formatSize(value);
}

function unitAfter({ unit }: Limit): string {
  return unit === "fraction" ? "" : ` ${unit}`;
}

/** `0.25 BTC left`, or `120.50 USD over` once the limit is passed. */
export function headroom(limit: Limit, currency: string | undefined): string {
  const left = limit.headroom === null ? null : parse(limit.headroom);
  if (left === null) return "";
  const over = sign(left) < 0;
  const text = inUnit(over ? (limit.headroom ?? "").replace("-", "") : limit.headroom, limit.unit, currency);
  return `${text}${unitAfter(limit)} ${over ? "over" : "left"}`;
}

function level(share: number): { bar: string; text: string; word: string } {
  if (share >= 1) return { bar: "bg-stop-strong", text: "text-down", word: "reached" };
  if (share >= CLOSE) return { bar: "bg-stop-strong", text: "text-down", word: "close" };
  if (share >= NEAR) return { bar: "bg-warn", text: "text-warn", word: "near" };
  return { bar: "bg-accent", text: "text-dim", word: "" };
}

export function LimitBar({ limit, currency }: { limit: Limit; currency: string | undefined }) {
  const share = usedShare(limit);
  const { bar, text, word } = level(share ?? 0);
  const unit = unitAfter(limit);
  const use = inUnit(limit.used, limit.unit, currency);
  const most = limit.limit === null ? "no limit" : `${inUnit(limit.limit, limit.unit, currency)}${unit}`;
  const left = headroom(limit, currency);
  return (
    <li className="px-3 py-1" data-limit={limit.name}>
      <div className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate">
          <span className="inline-block first-letter:uppercase">{limit.label}</span>
          {word !== "" && <strong className={`ml-2 text-2xs font-semibold ${text}`}>{word}</strong>}
        </span>
        <span className="whitespace-nowrap" title={`${limit.used} of ${limit.limit ?? "no limit"}`}>
          {use} <span className="text-dim">/ {most}</span>
        </span>
      </div>
      {limit.limit !== null && (
        <div className={`flex items-center gap-2 text-2xs ${text}`}>
          <div
            role="meter"
            aria-label={limit.label}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.min(100, Math.round((share ?? 0) * 100))}
            aria-valuetext={`${use} of ${most}, ${left}`}
            className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-raised"
          >
            {share !== null && <div className={`h-full rounded-full ${bar}`} style={{ width: `${Math.min(100, share * 100)}%` }} />}
          </div>
          <span className="w-32 truncate text-right" title={left}>
            {left}
          </span>
        </div>
      )}
    </li>
  );
}
