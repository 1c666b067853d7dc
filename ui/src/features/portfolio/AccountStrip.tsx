"use client";

import type { ReactNode } from "react";

import { ErrorBoundary } from "@/components/ui/ErrorBoundary";
import { Exact } from "@/components/ui/Exact";
import { Signed } from "@/components/ui/Signed";
import { useLastPrice } from "@/features/market/queries";
import { useSystem } from "@/features/system/queries";
import { direction, formatFloatPrice, formatMoney, formatPercent, NOTHING } from "@/lib/format/number";

import { dailyReturn, unrealized } from "./pnl";
import { usePortfolio } from "./queries";

function Figure({ name, children, wide, testId }: { name: string; children: ReactNode; wide?: boolean; testId?: string }) {
  return (
    <div className={`min-w-0 bg-panel px-3 py-1.5 ${wide ? "max-lg:col-span-2" : ""}`}>
      <dt className="truncate text-2xs text-dim">{name}</dt>
      <dd className={`truncate leading-6 font-semibold ${wide ? "text-[0.9375rem] max-sm:text-xl" : "text-[0.9375rem]"}`} data-testid={testId}>
        {children}
      </dd>
    </div>
  );
}

function LastPrice() {
  const { price, previous } = useLastPrice();
  const { data: system } = useSystem();
  if (price === null)
    return (
      <Figure name="Last price" wide testId="last-price">
        {NOTHING}
      </Figure>
    );
  const change = previous === null ? 0 : Math.sign(price - previous);
  return (
    <Figure name={system?.symbol ?? "Last price"} wide testId="last-price">
      <span className={change > 0 ? "text-up" : change < 0 ? "text-down" : undefined}>
        {formatFloatPrice(price)}
        <span aria-hidden="true" className="ml-1.5 text-2xs">
          {change > 0 ? "▲" : change < 0 ? "▼" : ""}
        </span>
      </span>
    </Figure>
  );
}

function Account() {
  const { data } = usePortfolio();
  const today = data && dailyReturn(data);
  const open = data && unrealized(data);
  return (
    <>
      <Figure name={`Equity${data ? ` ${data.currency}` : ""}`}>
        <Exact value={data?.equity} text={formatMoney(data?.equity)} />
      </Figure>
      <Figure name="Today">
        <Signed value={data?.daily_pnl}>
          {formatMoney(data?.daily_pnl, "always")}
          <span className="ml-1.5 text-xs font-normal">{today ? formatPercent(today, "always") : ""}</span>
        </Signed>
      </Figure>
      <Figure name="Unrealised">
        <Signed value={open}>{formatMoney(open, "always")}</Signed>
      </Figure>
      <Figure name="Drawdown">
        <span className={direction(data?.drawdown) > 0 ? "text-down" : undefined} title={data?.drawdown}>
          {formatPercent(data?.drawdown)}
        </span>
      </Figure>
      <Figure name="Exposure">
        <Exact value={data?.gross_exposure} text={formatMoney(data?.gross_exposure)} />
      </Figure>
      <Figure name="Cash">
        <Exact value={data?.cash} text={formatMoney(data?.cash)} />
      </Figure>
    </>
  );
}

/** The figures that a trader looks at first. */
export function AccountStrip() {
  const { data, isError } = usePortfolio();
  const stale = isError && data !== undefined;
  return (
    <ErrorBoundary what="Account">
      <dl
        aria-label="Account"
        data-stale={stale || undefined}
        className={`grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4 lg:grid-cols-7 ${stale ? "opacity-60" : ""}`}
      >
        <LastPrice />
        <Account />
      </dl>
    </ErrorBoundary>
  );
}
