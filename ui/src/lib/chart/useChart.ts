"use client";

import { createChart, type IChartApi } from "lightweight-charts";
import { type RefObject, useEffect, useState } from "react";

import { useView } from "@/lib/view/store";

import { type ChartColours, chartColours, chartOptions } from "./theme";
import { crosshairTime, tickMark } from "./time";

export interface Chart {
  readonly api: IChartApi;
  readonly colours: ChartColours;
}

/** A chart that fills `container` and wears the page's theme; null until it is drawn. A change of theme draws it anew. */
export function useChart(container: RefObject<HTMLElement | null>): Chart | null {
  const theme = useView((state) => state.theme);
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
    return () => {
      setChart(null);
      api.remove();
    };
  }, [container, theme]); // the page has put the theme on its root before, in a layout effect

  return chart;
}
