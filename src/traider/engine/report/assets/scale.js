// Where the lines of a grid stand, and what is written at them.

/** Round values between `low` and `high`, about `count` of them. */
function valueTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((one) => one * power >= rough) ?? 10);
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at++) ticks.push(at * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + (step / power === 2.5 ? 1 : 0));
  return { ticks, digits: Math.min(10, digits) };
}

const TIME_STEPS = [
  1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, SECOND, 2 * SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 10 * DAY,
];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 240];

/** Round times between `from` and `to`, at most `count` of them, each with its text. */
function timeTicks(from, to, count) {
  const rough = (to - from) / Math.max(1, count);
  const step = TIME_STEPS.find((one) => one >= rough);
  if (step === undefined) return monthTicks(from, to, rough);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push({ at, text: timeText(at, step) });
  return ticks;
}

function monthTicks(from, to, rough) {
  const months = rough / (30.4 * DAY);
  const step = MONTH_STEPS.find((one) => one >= months) ?? 600;
  const start = new Date(from / 1000);
  const ticks = [];
  let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / step) * step;
  for (; ; month += step) {
    const at = Date.UTC(Math.floor(month / 12), month % 12) * 1000;
    if (at > to) return ticks;
    if (at >= from) ticks.push({ at, text: step % 12 === 0 ? String(Math.floor(month / 12)) : moment(at, 0).slice(0, 7) });
  }
}

function timeText(at, step) {
  if (step >= DAY) return moment(at, 0).slice(5, 10);
  if (at % DAY === 0) return moment(at, 0).slice(5, 10);
  if (step >= MINUTE) return moment(at, 0).slice(11);
  return step >= SECOND ? moment(at, 1).slice(11) : moment(at, 2).slice(14);
}
