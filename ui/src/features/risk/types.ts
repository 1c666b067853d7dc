import type { Schemas } from "@/lib/api/client";

export type Risk = Schemas["RiskOut"];
export type Limit = Schemas["LimitOut"];
export type Gate = Schemas["GateOut"];
export type UnknownOrder = Schemas["UnknownOrderOut"];
