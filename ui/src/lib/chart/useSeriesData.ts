"use client";

import { useEffect, useRef } from "react";

import { follow, type Point, type Target } from "./feed";

/** Keeps a series at `points`. A new series is given all of them; one that exists only what changed. */
export function useSeriesData<P extends Point>(series: Target<P> | null, points: readonly P[]): void {
  const drawn = useRef<{ series: Target<P>; points: readonly P[] } | null>(null);
  useEffect(() => {
    if (series === null) return;
    const before = drawn.current?.series === series ? drawn.current.points : [];
    if (before !== points) follow(series, before, points);
    drawn.current = { series, points };
  }, [series, points]);
}
