import type { Schemas } from "@/lib/api/client";

export type System = Schemas["SystemOut"];
export type Component = Schemas["ComponentOut"];
