"use client";

import { type Column, DataTable } from "@/components/ui/DataTable";
import { Exact } from "@/components/ui/Exact";
import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { Signed } from "@/components/ui/Signed";
import { EmptyState } from "@/components/ui/states";
import { formatFee, formatMoney, formatPrice, formatSize } from "@/lib/format/number";

import { isFlat, netPnl } from "./pnl";
import { usePortfolio } from "./queries";
import type { Position } from "./types";

const COLUMNS: readonly Column<Position>[] = [
  { id: "symbol", header: "Market", cell: (row) => <span className="font-semibold">{row.symbol}</span> },
  {
    id: "size",
    header: "Size",
    align: "right",
    cell: (row) => <Signed value={row.size}>{isFlat(row) ? "flat" : formatSize(row.size, "always")}</Signed>,
  },
  {
    id: "notional",
    minor: "narrow",
    header: "Value",
    align: "right",
    phone: "right",
    cell: (row) => <Exact value={row.notional} text={formatMoney(row.notional)} />,
  },
  {
    id: "average",
    header: "Average",
    align: "right",
    phoneLabel: "avg",
    cell: (row) => <Exact value={row.average_price} text={isFlat(row) ? "–" : formatPrice(row.average_price)} />,
  },
  {
    id: "mark",
    header: "Mark",
    align: "right",
    phoneLabel: "mark",
    cell: (row) => <Exact value={row.mark_price} text={formatPrice(row.mark_price)} />,
  },
  {
    id: "unrealized",
    header: "Unrealised",
    align: "right",
    phone: "right",
    cell: (row) => <Signed value={row.unrealized_pnl}>{formatMoney(row.unrealized_pnl, "always")}</Signed>,
  },
  {
    id: "realized",
    minor: "narrow",
    header: "Realised",
    align: "right",
    phoneLabel: "real.",
    cell: (row) => <Signed value={row.realized_pnl}>{formatMoney(row.realized_pnl, "always")}</Signed>,
  },
  {
    id: "fees",
    minor: "narrow",
    header: "Fees",
    align: "right",
    phoneLabel: "fees",
    cell: (row) => <Exact value={row.fees} text={formatFee(row.fees)} />,
  },
  {
    id: "net",
    header: "Net",
    align: "right",
    phone: "right",
    phoneLabel: "net",
    cell: (row) => (
      <Signed value={netPnl(row)} title={`realised ${row.realized_pnl} + unrealised ${row.unrealized_pnl} − fees ${row.fees}`}>
        {formatMoney(netPnl(row), "always")}
      </Signed>
    ),
  },
];

export function PositionsPanel({ className }: { className?: string }) {
  const query = usePortfolio();
  return (
    <Panel id="positions" title="Positions" count={query.data?.positions.length} fresh={query} className={className}>
      <QueryState query={query} what="Positions" rows={2}>
        {({ positions }) =>
          positions.length === 0 ? (
            <EmptyState title="No positions">The first fill opens one.</EmptyState>
          ) : (
            <DataTable label="Positions" columns={COLUMNS} rows={positions} rowKey={(row) => row.symbol} />
          )
        }
      </QueryState>
    </Panel>
  );
}
