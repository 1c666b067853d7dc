import type { Schemas } from "@/lib/api/client";

export type Portfolio = Schemas["PortfolioOut"];
export type Position = Schemas["PositionOut"];
export type EquityPoint = Schemas["EquityPointOut"];
