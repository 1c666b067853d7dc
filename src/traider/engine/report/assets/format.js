// Numbers and times as words.py writes them.

const NOTHING = "–";
const SECOND = 1e6;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formatters = new Map();

function number(value, least = 2, most = 2, signed = false) {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  const key = `${least} ${most}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
    formatters.set(key, formatter);
  }
  const text = formatter.format(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return (value < 0 ? "−" : signed ? "+" : "") + text;
}

function percent(fraction, signed = false) {
  const hundredfold = Math.abs(fraction * 100);
  const digits = hundredfold === 0 || hundredfold >= 0.1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(hundredfold)));
  return `${number(fraction * 100, 2, digits, signed)} %`;
}

/** UTC; `digits` 0 to the minute, 1 to the second, 2 to the millisecond. */
function moment(time, digits) {
  const text = new Date(Math.floor(time / 1000)).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, [16, 19, 23][digits])}`;
}

function span(time) {
  if (time < MINUTE) return `${number(time / SECOND, 0, time < SECOND ? 3 : 1)} s`;
  const units = [[DAY, "d"], [HOUR, "h"], [MINUTE, "m"], [SECOND, "s"]];
  const at = units.findIndex(([size]) => time >= size);
  const [size, unit] = units[at];
  const [smaller, below] = units[at + 1];
  const rest = Math.floor((time % size) / smaller);
  return `${number(Math.floor(time / size), 0, 0)} ${unit}${rest ? ` ${rest} ${below}` : ""}`;
}

/** What this report's numbers look like: form.py's digits. */
function forms(form) {
  return {
    amount(value, signed) {
      const small = value !== 0 && Math.abs(value) < 10 ** -form.money;
      const digits = small ? Math.min(8, 1 - Math.floor(Math.log10(Math.abs(value)))) : form.money;
      return number(value, digits, digits, signed);
    },
    tradeAmount: (value, signed) => number(value, form.trade_money, form.trade_money, signed),
    price: (value) => number(value, Math.min(2, form.price), form.price),
    size: (value) => number(value, 0, form.size),
    time: (value) => moment(value, form.time),
    percent,
    span,
    base: form.base,
    quote: form.quote,
  };
}
