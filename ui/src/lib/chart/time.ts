/** Local time on an axis whose values are UTC seconds. */

import { TickMarkType, type Time, type UTCTimestamp } from "lightweight-charts";

const year = new Intl.DateTimeFormat("en-GB", { year: "numeric" });
const month = new Intl.DateTimeFormat("en-GB", { month: "short" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const second = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const TICKS: Record<TickMarkType, Intl.DateTimeFormat> = {
  [TickMarkType.Year]: year,
  [TickMarkType.Month]: month,
  [TickMarkType.DayOfMonth]: day,
  [TickMarkType.Time]: minute,
  [TickMarkType.TimeWithSeconds]: second,
};

export function chartTime(tsMs: number): UTCTimestamp {
  return Math.floor(tsMs / 1000) as UTCTimestamp;
}

function dateOf(time: Time): Date {
  return new Date(Number(time) * 1000);
}

export function tickMark(time: Time, type: TickMarkType): string {
  return TICKS[type].format(dateOf(time));
}

export function crosshairTime(time: Time): string {
  const at = dateOf(time);
  return `${day.format(at)} ${second.format(at)}`;
}
