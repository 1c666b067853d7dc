import type { Schemas } from "@/lib/api/client";

export type Candle = Schemas["CandleOut"];
export type MarketUpdate = Schemas["MarketOut"];
