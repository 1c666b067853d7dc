import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError, errorText, get, isUnauthorized, isUnreachable, post } from "@/lib/api/client";

const fetched = vi.fn<typeof fetch>();

function answer(status: number, body?: unknown): void {
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  fetched.mockResolvedValueOnce(new Response(text, { status, statusText: "Oops" }));
}

async function failure(of: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await of.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, not ${String(error)}`);
  return error;
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => void vi.unstubAllGlobals());

describe("get", () => {
  it("puts the parameters that are given into the address", async () => {
    answer(200, []);
    expect(await get("/api/orders", { status: "all", limit: undefined })).toEqual([]);
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/orders?status=all");
  });

  it("fails with the API's own sentence", async () => {
    answer(503, { detail: "the store does not answer" });
    const error = await failure(get("/api/risk", undefined));
    expect([error.status, error.message]).toEqual([503, "the store does not answer"]);
  });

  it.each(["<html>bad gateway</html>", { detail: "" }, { other: 1 }, [], "null"])("copes with the body %j", async (body) => {
    answer(502, body);
    const error = await failure(get("/api/risk", undefined));
    expect(error.message).toBe("the API answered 502 Oops");
    expect(isUnreachable(error)).toBe(true);
  });

  it("says that there was no answer when there was none", async () => {
    fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    const error = await failure(get("/api/risk", undefined));
    expect([error.status, errorText(error), isUnreachable(error)]).toEqual([0, "no answer from the API", true]);
  });

  it("lets the caller's own abort pass as it is", async () => {
    const controller = new AbortController();
    const aborted = new DOMException("aborted", "AbortError");
    fetched.mockImplementationOnce(() => {
      controller.abort();
      return Promise.reject(aborted);
    });
    await expect(get("/api/risk", undefined, controller.signal)).rejects.toBe(aborted);
  });
});

describe("post", () => {
  it("carries the header that a foreign page cannot send", async () => {
    answer(200, { username: "owner", role: "admin" });
    await post("/api/auth/login", { username: "owner", password: "secret" });
    const init = fetched.mock.calls[0]?.[1];
    expect(new Headers(init?.headers).get("X-Requested-With")).toBe("traider");
    expect(init?.method).toBe("POST");
    expect(init?.body).toBe('{"username":"owner","password":"secret"}');
  });

  it("takes an answer without content", async () => {
    fetched.mockResolvedValueOnce(new Response(null, { status: 204 }));
    expect(await post("/api/auth/logout", undefined)).toBeUndefined();
  });
});

it("knows a 401 from other errors", () => {
  expect(isUnauthorized(new ApiError(401, "no"))).toBe(true);
  expect(isUnauthorized(new ApiError(403, "no"))).toBe(false);
  expect(isUnauthorized(new Error("401"))).toBe(false);
});
