"use client";

import { type CreatePriceLineOptions, LineStyle } from "lightweight-charts";
import { useEffect } from "react";

import { isFlat } from "@/features/portfolio/pnl";
import { useOpenOrders } from "@/features/orders/queries";
import { usePortfolio } from "@/features/portfolio/queries";
import type { ChartColours } from "@/lib/chart/theme";
import { parse, toNumber } from "@/lib/format/decimal";

import type { PriceSeries } from "./usePriceSeries";

function priceOf(text: string | null): number | null {
  const exact = text === null ? null : parse(text);
  return exact === null ? null : toNumber(exact);
}

/** Draws the average price of the position and the prices of the open orders across the chart. */
export function usePriceLines(series: PriceSeries | null, colours: ChartColours | undefined, symbol: string | undefined): void {
  const { data: portfolio } = usePortfolio();
  const { data: orders } = useOpenOrders();
  const position = portfolio?.positions.find((each) => each.symbol === symbol);
  const average = position === undefined || isFlat(position) ? null : priceOf(position.average_price);
  const own = (orders ?? []).filter((order) => order.symbol === symbol);
  // The lines as one text: they are drawn anew only when one of them changed.
  const wanted = JSON.stringify([
    ...(average === null ? [] : [{ price: average, title: "average", side: null }]),
    ...own.flatMap(({ limit_price, stop_price, side, type }) => {
      const price = priceOf(limit_price ?? stop_price);
      return price === null ? [] : [{ price, title: `${side} ${type}`, side }];
    }),
  ]);

  useEffect(() => {
    if (series === null || colours === undefined) return;
    const lines = (JSON.parse(wanted) as { price: number; title: string; side: "buy" | "sell" | null }[]).map(({ price, title, side }) => {
      const options: CreatePriceLineOptions = {
        price,
        title,
        color: side === null ? colours.accent : side === "buy" ? colours.up : colours.down,
        lineWidth: 1,
        lineStyle: side === null ? LineStyle.Dashed : LineStyle.Dotted,
        axisLabelVisible: true,
      };
      return series.candles.createPriceLine(options);
    });
    return () => {
      for (const line of lines) series.candles.removePriceLine(line);
    };
  }, [series, colours, wanted]);
}
