import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { usePolling } from "@/lib/live/store";

import { fetchRisk, setKillSwitch } from "./service";

const POLL_MS = 2_000;

export const riskQuery = queryOptions({
  queryKey: ["risk"],
  queryFn: ({ signal }) => fetchRisk(signal),
});

export function useRisk() {
  return useQuery({ ...riskQuery, refetchInterval: usePolling(POLL_MS) });
}

export function useKillSwitch() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: setKillSwitch,
    onSuccess: async (risk) => {
      // An answer that was asked for before the switch must not overwrite the state after it.
      await client.cancelQueries({ queryKey: riskQuery.queryKey });
      client.setQueryData(riskQuery.queryKey, risk);
    },
  });
}
