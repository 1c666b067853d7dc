/** The page's colours, read from its style sheet, as the charts want them. */

import { ColorType, CrosshairMode, type DeepPartial, LineStyle, type TimeChartOptions } from "lightweight-charts";

export interface ChartColours {
  readonly panel: string;
  readonly line: string;
  readonly dim: string;
  readonly ink: string;
  readonly up: string;
  readonly down: string;
  readonly accent: string;
  readonly warn: string;
  readonly raised: string;
}

export function chartColours(): ChartColours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--color-${name}`).trim();
  return {
    panel: colour("panel"),
    line: colour("line"),
    dim: colour("dim"),
    ink: colour("ink"),
    up: colour("up"),
    down: colour("down"),
    accent: colour("accent"),
    warn: colour("warn"),
    raised: colour("raised"),
  };
}

/** `#rrggbb` with an opacity between 0 and 1. */
export function faded(colour: string, opacity: number): string {
  const alpha = Math.round(opacity * 255)
    .toString(16)
    .padStart(2, "0");
  return `${colour}${alpha}`;
}

export function chartOptions(colours: ChartColours): DeepPartial<TimeChartOptions> {
  return {
    layout: {
      background: { type: ColorType.Solid, color: colours.panel },
      textColor: colours.dim,
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      attributionLogo: false, // named with its link at the foot of the page
      panes: { separatorColor: colours.line, separatorHoverColor: colours.line, enableResize: false },
    },
    grid: { vertLines: { color: faded(colours.line, 0.5) }, horzLines: { color: faded(colours.line, 0.5) } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: colours.dim, style: LineStyle.Dotted, labelBackgroundColor: colours.raised },
      horzLine: { color: colours.dim, style: LineStyle.Dotted, labelBackgroundColor: colours.raised },
    },
    rightPriceScale: { borderColor: colours.line, entireTextOnly: true },
    handleScroll: { vertTouchDrag: false }, // a finger that moves up or down scrolls the page
    timeScale: { borderColor: colours.line, timeVisible: true, secondsVisible: true, rightOffset: 4 },
  };
}
