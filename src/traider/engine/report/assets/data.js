// The page's columns as typed arrays: the other end of packing.py. Times are microseconds since 1970, UTC.

const PLANES = { float: 8, time: 8, count: 4, small: 1 };

async function unpack(page) {
  const text = atob(page.packed);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const columns = {};
  let at = 0;
  for (const [name, kind, rows] of page.columns) {
    const planes = PLANES[kind];
    columns[name] = UNPACK[kind](together(bytes, at, rows, planes), rows);
    at += rows * planes;
  }
  return columns;
}

/** The values' bytes side by side again, in a buffer of their own. */
function together(bytes, at, rows, planes) {
  const joined = new Uint8Array(rows * planes);
  for (let plane = 0; plane < planes; plane++) {
    for (let row = 0, from = at + plane * rows; row < rows; row++, from++) joined[row * planes + plane] = bytes[from];
  }
  return joined.buffer;
}

const UNPACK = {
  float: (buffer) => new Float64Array(buffer),
  small: (buffer) => new Int8Array(buffer),
  count(buffer, rows) {
    const steps = new Int32Array(buffer);
    for (let row = 1; row < rows; row++) steps[row] += steps[row - 1];
    return steps;
  },
  time(buffer, rows) {
    const low = new Uint32Array(buffer);
    const high = new Int32Array(buffer);
    const times = new Float64Array(rows);
    let time = 0;
    for (let row = 0; row < rows; row++) {
      time += high[2 * row + 1] * 4294967296 + low[2 * row];
      times[row] = time;
    }
    return times;
  },
};

/** The number of the first value that is not below `wanted`; `values` ascend. */
function firstFrom(values, wanted) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
