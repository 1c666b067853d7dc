import type { Schemas } from "@/lib/api/client";

export type Fill = Schemas["FillOut"];
