"use client";

import { type Column, DataTable } from "@/components/ui/DataTable";
import { Exact } from "@/components/ui/Exact";
import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { SideTag } from "@/components/ui/SideTag";
import { EmptyState } from "@/components/ui/states";
import { Time } from "@/components/ui/Time";
import { formatFee, formatPrice, formatSize } from "@/lib/format/number";

import { useFills } from "./queries";
import type { Fill } from "./types";

const COLUMNS: readonly Column<Fill>[] = [
  { id: "time", header: "Time", phoneLine: 2, cell: (row) => <Time tsMs={row.ts_ms} className="text-dim" /> },
  { id: "side", header: "Side", cell: (row) => <SideTag side={row.side} /> },
  { id: "size", header: "Size", align: "right", cell: (row) => <Exact value={row.size} text={formatSize(row.size)} /> },
  {
    id: "price",
    header: "Price",
    align: "right",
    phone: "right",
    cell: (row) => <Exact value={row.price} text={formatPrice(row.price)} />,
  },
  {
    id: "fee",
    header: "Fee",
    minor: "tiny",
    align: "right",
    phoneLine: 2,
    phoneLabel: "fee",
    cell: (row) => <Exact value={row.fee} text={formatFee(row.fee)} />,
  },
  { id: "liquidity", header: "Liquidity", minor: "narrow", phoneLine: 2, phone: "right", cell: (row) => <span className="text-dim">{row.liquidity}</span> },
  { id: "symbol", header: "Market", minor: "narrow", phone: "hidden", cell: (row) => <span className="text-dim">{row.symbol}</span> },
];

export function FillsPanel({ className }: { className?: string }) {
  const query = useFills();
  return (
    <Panel id="fills" title="Fills" count={query.data?.length} fresh={query} className={className}>
      <QueryState query={query} what="Fills" rows={5}>
        {(fills) =>
          fills.length === 0 ? (
            <EmptyState title="No fills yet">Executed trades stand here, newest first.</EmptyState>
          ) : (
            <DataTable label="Fills" columns={COLUMNS} rows={fills} rowKey={(row) => row.trade_id} />
          )
        }
      </QueryState>
    </Panel>
  );
}
