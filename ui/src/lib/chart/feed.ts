/** How a series follows a list that grows at its end, without drawing everything anew with each price. */

/** A point of a chart: its time and numbers. */
export type Point = { readonly time: number } & Readonly<Record<string, unknown>>;

export interface Target<P> {
  setData: (points: P[]) => void;
  update: (point: P) => void;
}

function equal(a: Point, b: Point): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/**
 * Where in `now` the last point of `before` stands, when all of `before` that `now` still reaches back to is unchanged up to that
 * point; -1 when history differs.
 */
function grownFrom(before: readonly Point[], now: readonly Point[]): number {
  const last = before.at(-1);
  if (last === undefined) return -1;
  const from = now.findLastIndex((point) => point.time === last.time);
  for (let back = 1; from >= 0 && back <= from; back += 1) {
    const old = before[before.length - 1 - back];
    const point = now[from - back];
    if (old === undefined || point === undefined || !equal(old, point)) return -1;
  }
  return from;
}

/** Brings `target` from the points `before` to the points `now`. `before` empty is a new series. */
export function follow<P extends Point>(target: Target<P>, before: readonly P[], now: readonly P[]): void {
  const from = grownFrom(before, now);
  if (from < 0) target.setData([...now]);
  else for (const point of now.slice(from)) target.update(point);
}
