"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { startLive } from "./session";

/** Keeps the page live while it is mounted; draws nothing. */
export function LiveConnection() {
  const client = useQueryClient();
  useEffect(() => startLive(client), [client]);
  return null;
}
