"use client";

import { AreaSeries, BaselineSeries, type ISeriesApi } from "lightweight-charts";
import { useEffect, useMemo, useRef, useState } from "react";

import { faded } from "@/lib/chart/theme";
import { type Chart, useChart } from "@/lib/chart/useChart";
import { useSeriesData } from "@/lib/chart/useSeriesData";
import { formatNumber } from "@/lib/format/number";

import { equitySeries, type ValuePoint } from "./series";
import type { EquityPoint } from "./types";

interface Target {
  setData: (points: ValuePoint[]) => void;
  update: (point: ValuePoint) => void;
}

interface EquityTargets {
  readonly equity: ISeriesApi<"Baseline">;
  readonly equityTarget: Target;
  readonly drawdownTarget: Target;
}

function useEquitySeries(chart: Chart | null): EquityTargets | null {
  const [series, setSeries] = useState<EquityTargets | null>(null);
  useEffect(() => {
    if (chart === null) return;
    const { api, colours } = chart;
    api.applyOptions({ handleScale: false, handleScroll: false }); // the whole curve is always in sight
    const equity = api.addSeries(BaselineSeries, {
      lineWidth: 2,
      topLineColor: colours.up,
      topFillColor1: faded(colours.up, 0.25),
      topFillColor2: faded(colours.up, 0.02),
      bottomLineColor: colours.down,
      bottomFillColor1: faded(colours.down, 0.02),
      bottomFillColor2: faded(colours.down, 0.25),
      priceLineVisible: false,
    });
    const drawdown = api.addSeries(
      AreaSeries,
      {
        lineWidth: 1,
        lineColor: colours.down,
        topColor: faded(colours.down, 0.05),
        bottomColor: faded(colours.down, 0.35),
        invertFilledArea: true,
        priceLineVisible: false,
        priceFormat: { type: "custom", minMove: 0.01, formatter: (value: number) => `${value.toFixed(2)} %` },
        // The scale always reaches up to zero: a drawdown is read from there.
        autoscaleInfoProvider: (original: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
          const info = original();
          return info?.priceRange ? { ...info, priceRange: { minValue: Math.min(info.priceRange.minValue, -0.01), maxValue: 0 } } : info;
        },
      },
      1,
    );
    drawdown.priceScale().applyOptions({ scaleMargins: { top: 0.04, bottom: 0.1 } });
    const [top, bottom] = api.panes();
    top?.setStretchFactor(7);
    bottom?.setStretchFactor(3);
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the series are outside things that exist only from here on
    setSeries({
      equity,
      equityTarget: { setData: (points) => equity.setData(points), update: (point) => equity.update(point) },
      drawdownTarget: { setData: (points) => drawdown.setData(points), update: (point) => drawdown.update(point) },
    });
  }, [chart]);
  return series;
}

/** Equity against its first shown value, and below it the drawdown from the high-water mark. */
export function EquityChart({ points }: { points: readonly EquityPoint[] }) {
  const container = useRef<HTMLDivElement>(null);
  const chart = useChart(container);
  const series = useEquitySeries(chart);
  const { equity, drawdown } = useMemo(() => equitySeries(points), [points]);
  const base = equity[0]?.value ?? 0;

  const digits = base < 10_000 ? 2 : 0;

  useEffect(() => {
    const formatter = (value: number) => formatNumber(value.toFixed(digits), { least: digits });
    series?.equity.applyOptions({
      baseValue: { type: "price", price: base },
      priceFormat: { type: "custom", formatter, minMove: 10 ** -digits },
    });
  }, [series, base, digits]);
  useSeriesData(series?.equityTarget ?? null, equity);
  useSeriesData(series?.drawdownTarget ?? null, drawdown);
  useEffect(() => {
    if (series !== null) chart?.api.timeScale().fitContent();
  }, [series, chart, equity]);

  return (
    <div className="relative h-full">
      <div ref={container} role="img" aria-label="Equity, and the drawdown below it" className="absolute inset-0" />
    </div>
  );
}
