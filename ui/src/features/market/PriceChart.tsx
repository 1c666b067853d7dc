"use client";

import type { MouseEventParams } from "lightweight-charts";
import { useEffect, useMemo, useRef, useState } from "react";

import { useFills } from "@/features/fills/queries";
import { useSystem } from "@/features/system/queries";
import { faded } from "@/lib/chart/theme";
import { chartTime } from "@/lib/chart/time";
import { useChart } from "@/lib/chart/useChart";
import { useSeriesData } from "@/lib/chart/useSeriesData";
import { formatNumber } from "@/lib/format/number";

import { PriceLegend } from "./PriceLegend";
import { candlePoints, candleTimeAt, fillMarkers, pricePrecision, volumePoints } from "./series";
import type { Candle } from "./types";
import { usePriceLines } from "./usePriceLines";
import { usePriceSeries } from "./usePriceSeries";

/** Candles with volume, own fills, the position's average price and the open orders. */
export function PriceChart({ candles }: { candles: readonly Candle[] }) {
  const container = useRef<HTMLDivElement>(null);
  const chart = useChart(container);
  const series = usePriceSeries(chart);
  const { data: fills } = useFills();
  const symbol = useSystem().data?.symbol;
  const [hovered, setHovered] = useState<number | null>(null);

  const points = useMemo(() => candlePoints(candles), [candles]);
  const volumes = useMemo(
    () => (chart === null ? [] : volumePoints(candles, faded(chart.colours.up, 0.3), faded(chart.colours.down, 0.3))),
    [candles, chart],
  );
  const times = useMemo(() => points.map(({ time }) => time), [points]);
  const precision = pricePrecision(candles);

  useEffect(() => {
    const formatter = (price: number) => formatNumber(price.toFixed(precision), { least: precision });
    series?.candles.applyOptions({ priceFormat: { type: "custom", formatter, minMove: 10 ** -precision } });
  }, [series, precision]);
  useSeriesData(series?.candleTarget ?? null, points);
  useSeriesData(series?.volumeTarget ?? null, volumes);
  usePriceLines(series, chart?.colours, symbol);
  useEffect(() => {
    if (series !== null && chart !== null) series.markers.setMarkers(fillMarkers(fills ?? [], times, symbol, chart.colours));
  }, [series, chart, fills, times, symbol]);
  useEffect(() => {
    if (chart === null) return;
    const follow = ({ time }: MouseEventParams) => setHovered(time === undefined ? null : Number(time));
    chart.api.subscribeCrosshairMove(follow);
    return () => chart.api.unsubscribeCrosshairMove(follow);
  }, [chart]);

  const shown = candles.find((candle) => chartTime(candle.ts_ms) === hovered) ?? candles.at(-1);
  const shownFills = (fills ?? []).filter((fill) => shown !== undefined && candleTimeAt(times, fill.ts_ms) === chartTime(shown.ts_ms));
  return (
    <div className="relative h-full">
      {shown !== undefined && <PriceLegend candle={shown} fills={shownFills} />}
      <div
        ref={container}
        role="img"
        aria-label={`Price of ${symbol ?? "the market"} with own fills; the fills are also in the table of fills`}
        className="absolute inset-0"
      />
    </div>
  );
}
