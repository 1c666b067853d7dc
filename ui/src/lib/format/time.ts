/** Moments as text: local time to read, UTC to compare. */

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DAY: Intl.DateTimeFormatOptions = { day: "2-digit", month: "short" };

const clock = new Intl.DateTimeFormat("en-GB", CLOCK);
const day = new Intl.DateTimeFormat("en-GB", DAY);
const dayAndYear = new Intl.DateTimeFormat("en-GB", { ...DAY, year: "numeric" });

function sameDay(a: Date, b: Date): boolean {
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

/** Local time; with the date when it is not today's, with the year when it is not this year's. */
export function formatLocal(tsMs: number, nowMs: number): string {
  const at = new Date(tsMs);
  const now = new Date(nowMs);
  if (sameDay(at, now)) return clock.format(at);
  const date = at.getFullYear() === now.getFullYear() ? day.format(at) : dayAndYear.format(at);
  return `${date} ${clock.format(at)}`;
}

/** `2026-11-20 10:29:03.123 UTC`. */
export function formatUtc(tsMs: number): string {
  return `${new Date(tsMs).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** A length of time in its two largest units: `850 ms`, `4.2 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatAge(ageMs: number): string {
  const ms = Math.max(0, Math.round(ageMs));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min ${String(s % 60).padStart(2, "0")} s`;
  const h = Math.floor(min / 60);
  if (h < 24) return `${h} h ${min % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}
