import { get, isUnauthorized, post } from "@/lib/api/client";

import type { Credentials, User } from "./types";

/** Who is logged in, or null. */
export async function fetchMe(signal?: AbortSignal): Promise<User | null> {
  try {
    return await get("/api/auth/me", undefined, signal);
  } catch (error) {
    if (isUnauthorized(error)) return null;
    throw error;
  }
}

export function login(credentials: Credentials): Promise<User> {
  return post("/api/auth/login", credentials);
}

export async function logout(): Promise<void> {
  await post("/api/auth/logout", undefined);
}
