"use client";

import { createChart, type IChartApi } from "lightweight-charts";
import { type RefObject, useEffect, useState } from "react";

import { type ChartColours, chartColours, chartOptions } from "./theme";
import { crosshairTime, tickMark } from "./time";

export interface Chart {
  readonly api: IChartApi;
  readonly colours: ChartColours;
}

/**
 * A chart that fills `container` in the page's colours; null until it is drawn. It keeps the colours it began with: give the
 * component that uses it the theme as its key.
 */
export function useChart(container: RefObject<HTMLElement | null>): Chart | null {
  const [chart, setChart] = useState<Chart | null>(null);

  useEffect(() => {
    if (container.current === null) return;
    const colours = chartColours();
    const api = createChart(container.current, {
      ...chartOptions(colours),
      autoSize: true,
      localization: { timeFormatter: crosshairTime },
    });
    api.applyOptions({ timeScale: { tickMarkFormatter: tickMark } });
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the chart is an outside thing that exists only from here on
    setChart({ api, colours });
    // Later, because the effects that took hold of the chart let go of it in the same turn, after this one.
    return () => queueMicrotask(() => api.remove());
  }, [container]);

  return chart;
}
