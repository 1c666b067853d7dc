// The three pictures over one time axis. A panel says what is in its box for a time shown, and what stands at one moment.
// A box maps time to x and values to y; everything that is drawn is a number, so that it can be joined to markup as text.

const MARKER_GAP = 13; // pixels: where fills stand closer, one marker stands for them all
const CANDLE_GAP = 5; // pixels that a candle needs to be drawn as one

function box(view, width, height, low, high) {
  const spread = high - low || 1;
  return {
    view,
    width,
    height,
    low,
    high,
    x: (time) => ((time - view.from) / (view.to - view.from)) * width,
    y: (value) => ((high - value) / spread) * height,
  };
}

/** The numbers of the rows in view, with one more on either side so that lines leave the picture. */
function rowsIn(times, view) {
  return [Math.max(0, firstFrom(times, view.from) - 1), Math.min(times.length, firstFrom(times, view.to) + 1)];
}

function extent(columns, [first, end], also = []) {
  let low = Math.min(...also, Infinity);
  let high = Math.max(...also, -Infinity);
  for (const column of columns) {
    for (let row = first; row < end; row++) {
      if (column[row] < low) low = column[row];
      if (column[row] > high) high = column[row];
    }
  }
  const room = (high - low) * 0.06 || Math.abs(high) * 0.001 || 1;
  return [low - room, high + room];
}

/** The median of the times between two rows. */
function usualStep(times, page) {
  const steps = Array.from(times.subarray(1), (time, row) => time - times[row]).sort((a, b) => a - b);
  return steps.length ? steps[steps.length >> 1] : Math.max(1, page.end - page.start);
}

/** The rows in runs that no hole in the bars parts: a hole is what takes more than a hundredth of the whole time. */
function runs(times, [first, end], hole) {
  const found = [];
  for (let row = first, start = first; row < end; row++) {
    if (row + 1 < end && times[row + 1] - times[row] <= hole) continue;
    found.push([start, row + 1]);
    start = row + 1;
  }
  return found;
}

function path(at, times, values, [first, end]) {
  const points = [];
  for (let row = first; row < end; row++) points.push(`${at.x(times[row]).toFixed(1)} ${at.y(values[row]).toFixed(1)}`);
  return `M${points.join("L")}`;
}

/** The area between the line through these rows and a base. */
function filled(at, times, line, [first, end], base) {
  const y = at.y(base).toFixed(1);
  return `${line}L${at.x(times[end - 1]).toFixed(1)} ${y}L${at.x(times[first]).toFixed(1)} ${y}Z`;
}

function holeIn(times, page) {
  return page.bars ? usualStep(times, page) + (page.end - page.start) / 100 : Infinity;
}

function level(at, value, kind) {
  const y = at.y(value).toFixed(1);
  return value >= at.low && value <= at.high ? `<line class="${kind}" x1="0" x2="${at.width}" y1="${y}" y2="${y}"/>` : "";
}

/** The last row at or before this time; 0 when there is none. */
function rowAt(times, time) {
  return Math.max(0, firstFrom(times, time + 1) - 1);
}

function tone(value) {
  return value > 0 ? "up" : value < 0 ? "down" : "";
}

function equityPanel(page, columns, words) {
  const times = columns["curve.time"];
  const equity = columns["curve.equity"];
  const held = columns["curve.held"];
  const hole = holeIn(times, page);
  return {
    name: "equity",
    times,
    values: equity,
    tall: 0.3,
    text: (value, digits) => number(value, digits, digits),
    range: (view) => extent(page.quantity ? [equity, held] : [equity], rowsIn(times, view), [page.cash]),
    draw(at) {
      const d = { area: "", line: "", held: "" };
      for (const rows of runs(times, rowsIn(times, at.view), hole)) {
        const line = path(at, times, equity, rows);
        d.line += line;
        d.area += filled(at, times, line, rows, at.low);
        if (page.quantity) d.held += path(at, times, held, rows);
      }
      return `${level(at, page.cash, "base-line")}<path class="area" d="${d.area}"/><path class="held" d="${d.held}"/><path class="line" d="${d.line}"/>`;
    },
    read(time) {
      const row = rowAt(times, time);
      const change = page.cash > 0 ? equity[row] / page.cash - 1 : null;
      const parts = [[words.amount(equity[row]), ""]];
      if (change !== null) parts.push([words.percent(change, true), tone(change)]);
      if (page.quantity) parts.push([`holding ${words.size(page.quantity)} ${words.base}: ${words.amount(held[row])}`, "key"]);
      return parts;
    },
  };
}

function drawdownPanel(page, columns, words) {
  const times = columns["curve.time"];
  const drawdown = columns["curve.drawdown"];
  const hole = holeIn(times, page);
  return {
    name: "drawdown",
    times,
    values: drawdown,
    tall: 0.15,
    text: (value, digits) => `${number(value * 100, Math.max(0, digits - 2), Math.max(0, digits - 2))} %`,
    range(view) {
      const [low] = extent([drawdown], rowsIn(times, view), [0]);
      return [low === 0 || low === -1 || low > -1e-7 ? -0.01 : low, 0];
    },
    draw(at) {
      const d = { area: "", line: "" };
      for (const rows of runs(times, rowsIn(times, at.view), hole)) {
        const line = path(at, times, drawdown, rows);
        d.line += line;
        d.area += filled(at, times, line, rows, 0);
      }
      return `<path class="area" d="${d.area}"/><path class="line" d="${d.line}"/>`;
    },
    read(time) {
      const value = drawdown[rowAt(times, time)];
      return [[words.percent(value), tone(value)]];
    },
  };
}

function pricePanel(page, columns, words) {
  const times = columns["candle.time"];
  const [open, high, low, close] = ["open", "high", "low", "close"].map((name) => columns[`candle.${name}`]);
  const step = usualStep(times, page);
  const hole = holeIn(times, page);
  const shift = page.events_a_candle > 1 ? step / 2 : 0;

  function bars(at, [first, end], wide) {
    const bodies = { up: "", down: "" };
    for (let row = first; row < end; row++) {
      const x = at.x(times[row] + shift);
      const top = at.y(Math.max(open[row], close[row]));
      const tall = Math.max(1, at.y(Math.min(open[row], close[row])) - top);
      const left = (x - wide / 2).toFixed(1);
      bodies[close[row] < open[row] ? "down" : "up"] +=
        `M${x.toFixed(1)} ${at.y(high[row]).toFixed(1)}V${at.y(low[row]).toFixed(1)}M${left} ${top.toFixed(1)}h${wide.toFixed(1)}v${tall.toFixed(1)}h${(-wide).toFixed(1)}z`;
    }
    return `<path class="candle-up" d="${bodies.up}"/><path class="candle-down" d="${bodies.down}"/>`;
  }

  /** The closes as a line, in a band from low to high; at most one point a pixel. */
  function band(at, rows) {
    const joined = Math.max(1, Math.ceil((rows[1] - rows[0]) / at.width));
    const parts = runs(times, rows, hole).map((run) => stretch(at, run, joined));
    return `<path class="area" d="${parts.map((part) => part.band).join("")}"/><path class="line" d="${parts.map((part) => part.line).join("")}"/>`;
  }

  function stretch(at, [first, end], joined) {
    const [above, below, middle] = [[], [], []];
    for (let row = first; row < end; row += joined) {
      const last = Math.min(row + joined, end);
      const x = at.x(times[row] + shift * joined).toFixed(1);
      above.push(`${x} ${at.y(Math.max(...high.subarray(row, last))).toFixed(1)}`);
      below.push(`${x} ${at.y(Math.min(...low.subarray(row, last))).toFixed(1)}`);
      middle.push(`${x} ${at.y(close[last - 1]).toFixed(1)}`);
    }
    return { band: `M${above.concat(below.reverse()).join("L")}Z`, line: `M${middle.join("L")}` };
  }

  return {
    name: "price",
    times,
    values: close,
    tall: 0.36,
    text: (value, digits) => number(value, digits, digits),
    range: (view) => extent([high, low], rowsIn(times, view)),
    draw(at) {
      const rows = rowsIn(times, at.view);
      const gap = (step / (at.view.to - at.view.from)) * at.width;
      this.marked = markers(page, columns, at);
      return (gap >= CANDLE_GAP ? bars(at, rows, Math.min(14, gap * 0.7)) : band(at, rows)) + this.marked.markup;
    },
    read(time, at) {
      const row = rowAt(times, time);
      const parts = [["open", open], ["high", high], ["low", low], ["close", close]].map(([name, column]) => [`${name} ${words.price(column[row])}`, null]);
      if (at) return parts.concat(this.marked.near(at.x(time), words));
      const { count, groups } = this.marked;
      return count > groups ? [...parts, [`${number(count, 0, 0)} fills as ${number(groups, 0, 0)} markers: zoom in for each`, null]] : parts;
    },
  };
}

/** The fills in view as triangles whose tip is at the price: up for buys, down for sells. */
function markers(page, columns, at) {
  const [times, sides, prices, sizes] = ["time", "side", "price", "size"].map((name) => columns[`fill.${name}`]);
  const first = firstFrom(times, at.view.from);
  const end = firstFrom(times, at.view.to + 1);
  const gap = end - first > (at.width / MARKER_GAP) * 2 ? MARKER_GAP : 0;
  const groups = new Map();
  for (let row = first; row < end; row++) {
    const x = at.x(times[row]);
    const key = gap ? Math.floor(x / gap) * 2 + (sides[row] > 0 ? 1 : 0) : row;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { side: sides[row], count: 0, size: 0, value: 0, x: gap ? (Math.floor(x / gap) + 0.5) * gap : x }));
    group.count++;
    group.size += sizes[row];
    group.value += sizes[row] * prices[row];
  }
  const d = { buy: "", sell: "" };
  for (const group of groups.values()) {
    const y = at.y(group.value / group.size);
    const half = gap ? 3.5 : 4.5;
    const tall = group.side > 0 ? half * 1.7 : -half * 1.7;
    d[group.side > 0 ? "buy" : "sell"] += `M${group.x.toFixed(1)} ${y.toFixed(1)}l${half} ${tall.toFixed(1)}h${-2 * half}z`;
  }
  const joined = gap ? "" : connections(columns, at, first, end);
  return {
    count: end - first,
    groups: groups.size,
    markup: `${joined}<path class="buy" d="${d.buy}"/><path class="sell" d="${d.sell}"/>`,
    near(x, words) {
      const parts = [];
      for (const group of groups.values()) {
        if (Math.abs(group.x - x) > (gap ? gap / 2 : 5)) continue;
        const what = group.side > 0 ? ["buy", "buys", "up"] : ["sell", "sells", "down"];
        const several = group.count > 1 ? `${number(group.count, 0, 0)} ${what[1]}, ` : `${what[0]} `;
        parts.push([`${several}${words.size(group.size)} at ${words.price(group.value / group.size)}`, what[2]]);
      }
      return parts.slice(0, 3);
    },
  };
}

/** Lines from the entry to the exit of each round trip with an end in view. */
function connections(columns, at, first, end) {
  const [entries, exits] = [columns["trip.entry"], columns["trip.exit"]];
  const times = columns["fill.time"];
  const d = { won: "", lost: "" };
  for (let trip = firstFrom(exits, first); trip < exits.length && entries[trip] < end; trip++) {
    const won = columns["trip.pnl"][trip] > columns["trip.fees"][trip];
    const from = `${at.x(times[entries[trip]]).toFixed(1)} ${at.y(columns["trip.entry_price"][trip]).toFixed(1)}`;
    const to = `${at.x(times[exits[trip]]).toFixed(1)} ${at.y(columns["trip.exit_price"][trip]).toFixed(1)}`;
    d[won ? "won" : "lost"] += `M${from}L${to}`;
  }
  return `<path class="trip-won" d="${d.won}"/><path class="trip-lost" d="${d.lost}"/>`;
}
