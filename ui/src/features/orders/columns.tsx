import type { Column } from "@/components/ui/DataTable";
import { Exact } from "@/components/ui/Exact";
import { SideTag } from "@/components/ui/SideTag";
import { Time } from "@/components/ui/Time";
import { formatPrice, formatSize } from "@/lib/format/number";

import type { Refusals } from "./refusals";
import type { Order } from "./types";

const STATUS_WORDS: Record<Order["status"], string> = {
  pending: "pending",
  open: "open",
  partially_filled: "part filled",
  filled: "filled",
  cancelled: "cancelled",
  rejected: "refused",
  unknown: "UNKNOWN",
};

/** `limit 64,200.00 · post-only · ioc`: what kind of order, in one line. */
export function orderKind({ type, limit_price, stop_price, post_only, time_in_force }: Order): string {
  const price = limit_price ?? stop_price;
  const parts = [price === null ? type : `${type} ${formatPrice(price)}`];
  if (post_only) parts.push("post-only");
  if (time_in_force === "ioc" && type !== "market") parts.push("ioc");
  return parts.join(" · ");
}

const time: Column<Order> = { id: "time", header: "Time", cell: (row) => <Time tsMs={row.created_ts_ms} className="text-dim" /> };
const side: Column<Order> = { id: "side", header: "Side", cell: (row) => <SideTag side={row.side} /> };
const size: Column<Order> = {
  id: "size",
  header: "Size",
  align: "right",
  cell: (row) => <Exact value={row.size} text={formatSize(row.size)} />,
};
const market: Column<Order> = { id: "symbol", header: "Market", cell: (row) => row.symbol };
const kind: Column<Order> = { id: "kind", header: "Type", cell: (row) => orderKind(row) };

export const OPEN_COLUMNS: readonly Column<Order>[] = [
  { ...time, minor: "narrow", phone: "hidden" },
  side,
  size,
  { ...market, phone: "right" },
  { ...kind, phone: "double" },
  {
    id: "filled",
    header: "Filled",
    align: "right",
    phone: "hidden",
    cell: (row) => <Exact value={row.filled_size} text={formatSize(row.filled_size)} />,
  },
  {
    id: "status",
    header: "Status",
    phone: "right",
    cell: (row) => (
      <span className={row.status === "unknown" ? "font-semibold text-warn" : undefined}>
        {STATUS_WORDS[row.status]}
        {row.status === "partially_filled" && <span className="sm:hidden"> {formatSize(row.filled_size)}</span>}
      </span>
    ),
  },
];

/** A column of orders as one of their refusals. */
function ofNewest({ cell, ...rest }: Column<Order>): Column<Refusals> {
  return { ...rest, cell: ({ newest }) => cell(newest) };
}

export const REFUSAL_COLUMNS: readonly Column<Refusals>[] = [
  ofNewest(time),
  ofNewest(side),
  ofNewest({ ...size, phone: "right" }),
  ofNewest({ ...market, minor: "narrow", phone: "hidden" }),
  ofNewest({ ...kind, minor: "narrow", phone: "hidden" }),
  {
    id: "reason",
    header: "Why it was refused",
    phone: "wide",
    cell: ({ newest: { reason, detail }, count }) => (
      <span className="whitespace-normal">
        <span className="inline-block font-semibold text-warn first-letter:uppercase">{reason ?? "no reason was given"}</span>
        {count > 1 && <span className="ml-2 rounded bg-raised px-1.5 text-2xs text-dim">{count} times</span>}
        {detail !== "" && detail !== reason && <span className="ml-2 text-dim">{detail}</span>}
      </span>
    ),
  },
];
