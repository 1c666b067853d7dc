import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { fetchMe, login, logout } from "./service";

const RETRY_MS = 2_000;

export const meQuery = queryOptions({
  queryKey: ["session", "me"],
  queryFn: ({ signal }) => fetchMe(signal),
  refetchInterval: (query) => (query.state.status === "error" ? RETRY_MS : 60_000),
});

export function useMe() {
  return useQuery(meQuery);
}

export function useLogin() {
  const client = useQueryClient();
  return useMutation({ mutationFn: login, onSuccess: (user) => client.setQueryData(meQuery.queryKey, user) });
}

/** Forgets everything that was loaded, so that the next user of the page sees nothing of it. */
export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: logout,
    onSuccess: async () => {
      await client.cancelQueries();
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== meQuery.queryKey[0] });
      client.setQueryData(meQuery.queryKey, null);
    },
  });
}
