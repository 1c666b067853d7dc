/** The one place that asks the API. Paths, parameters and answers are checked against the OpenAPI document. */

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

type With<Method extends "get" | "post"> = {
  [Path in keyof paths]: paths[Path][Method] extends { responses: unknown } ? Path : never;
}[keyof paths];

type Content<Response> = Response extends { content: { "application/json": infer Body } } ? Body : undefined;
type Success<Operation> = Operation extends { responses: infer Responses }
  ? Content<Responses[Extract<keyof Responses, 200 | 204>]>
  : never;
type Query<Operation> = Operation extends { parameters: { query?: infer Parameters } } ? Parameters : never;
type Body<Operation> = Operation extends { requestBody: { content: { "application/json": infer Content } } } ? Content : undefined;

const DEADLINE_MS = 10_000;

/** An answer that is not a success. `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function sentence(response: Response): Promise<string> {
  const fallback = `the API answered ${response.status} ${response.statusText}`.trim();
  try {
    const body: unknown = await response.json();
    const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : null;
    return typeof detail === "string" && detail !== "" ? detail : fallback;
  } catch {
    return fallback;
  }
}

async function request(path: string, init: RequestInit, signal?: AbortSignal): Promise<unknown> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      credentials: "same-origin",
      cache: "no-store",
      ...init,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, deadline.aborted ? `no answer within ${DEADLINE_MS / 1000} s` : "no answer from the API");
  }
  if (!response.ok) throw new ApiError(response.status, await sentence(response));
  if (response.status === 204) return undefined;
  return response.json();
}

export async function get<Path extends With<"get">>(
  path: Path,
  query: Query<paths[Path]["get"]> | undefined,
  signal?: AbortSignal,
): Promise<Success<paths[Path]["get"]>> {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  const answer = await request(search === "" ? path : `${path}?${search}`, { headers: { Accept: "application/json" } }, signal);
  return answer as Success<paths[Path]["get"]>;
}

/** Every changing request carries the header that a foreign page cannot send. */
export async function post<Path extends With<"post">>(
  path: Path,
  body: Body<paths[Path]["post"]>,
): Promise<Success<paths[Path]["post"]>> {
  const answer = await request(path, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-Requested-With": "traider" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer as Success<paths[Path]["post"]>;
}

/** What to show a person of any error. */
export function errorText(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "something went wrong";
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** No answer, or a proxy's word that there is none: the API itself is away. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && [0, 502, 504].includes(error.status);
}
