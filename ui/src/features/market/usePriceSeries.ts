"use client";

import {
  CandlestickSeries,
  createSeriesMarkers,
  HistogramSeries,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useState } from "react";

import { faded } from "@/lib/chart/theme";
import type { Chart } from "@/lib/chart/useChart";

import type { CandlePoint, VolumePoint } from "./series";

export interface PriceSeries {
  readonly candles: ISeriesApi<"Candlestick">;
  readonly markers: ISeriesMarkersPluginApi<UTCTimestamp>;
  readonly candleTarget: { setData: (points: CandlePoint[]) => void; update: (point: CandlePoint) => void };
  readonly volumeTarget: { setData: (points: VolumePoint[]) => void; update: (point: VolumePoint) => void };
}

/** The series of the price chart: candles, volume at the foot, and the markers on the candles. */
export function usePriceSeries(chart: Chart | null): PriceSeries | null {
  const [series, setSeries] = useState<PriceSeries | null>(null);
  useEffect(() => {
    if (chart === null) return;
    const { api, colours } = chart;
    const volume = api.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
    const candles = api.addSeries(CandlestickSeries, {
      upColor: colours.up,
      downColor: faded(colours.down, 0.9),
      borderUpColor: colours.up,
      borderDownColor: colours.down,
      wickUpColor: colours.up,
      wickDownColor: colours.down,
    });
    candles.priceScale().applyOptions({ scaleMargins: { top: 0.14, bottom: 0.18 } });
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the series are outside things that exist only from here on
    setSeries({
      candles,
      markers: createSeriesMarkers<UTCTimestamp>(candles as never, []),
      candleTarget: { setData: (points) => candles.setData(points), update: (point) => candles.update(point) },
      volumeTarget: { setData: (points) => volume.setData(points), update: (point) => volume.update(point) },
    });
  }, [chart]);
  return series;
}
