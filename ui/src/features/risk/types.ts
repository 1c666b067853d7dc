import type { Schemas } from "@/lib/api/client";

export type Risk = Schemas["RiskOut"];
export type Limit = Schemas["LimitOut"];
