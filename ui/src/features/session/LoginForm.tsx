"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useEffect, useRef, useState } from "react";

import { Button } from "@/components/ui/Button";
import { Logo } from "@/components/ui/Logo";
import { errorText } from "@/lib/api/client";

import { useLogin, useMe } from "./queries";

const FIELD = "mt-1 block min-h-10 w-full rounded-md border border-line bg-canvas px-3 text-ink";

export function LoginForm() {
  const router = useRouter();
  const me = useMe();
  const login = useLogin();
  const [username, setUsername] = useState("owner");
  const [password, setPassword] = useState("");
  const passwordField = useRef<HTMLInputElement>(null);
  const loggedIn = me.data !== undefined && me.data !== null;

  useEffect(() => {
    if (loggedIn) router.replace("/");
  }, [loggedIn, router]);

  function submit(event: FormEvent) {
    event.preventDefault();
    const onError = () => {
      setPassword("");
      passwordField.current?.focus();
    };
    login.mutate({ username: username.trim(), password }, { onError });
  }

  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-sm">
        <h1 className="mb-5 flex justify-center text-xl">
          <Logo />
        </h1>
        <form onSubmit={submit} aria-label="Log in" className="rounded-lg border border-line bg-panel p-5">
          <label className="block">
            <span className="text-dim">Username</span>
            <input
              className={FIELD}
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          </label>
          <label className="mt-4 block">
            <span className="text-dim">Password</span>
            <input
              className={FIELD}
              ref={passwordField}
              name="password"
              type="password"
              autoComplete="current-password"
              required
              autoFocus
              aria-invalid={login.isError}
              aria-describedby="login-error"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
          <p id="login-error" role="alert" className="mt-3 min-h-5 text-down">
            {login.isError && `Not logged in: ${errorText(login.error)}.`}
          </p>
          <Button type="submit" look="primary" className="mt-2 w-full" disabled={login.isPending} aria-busy={login.isPending}>
            {login.isPending ? "Logging in…" : "Log in"}
          </Button>
        </form>
        <p className="mt-4 px-1 text-center text-dim">
          The password was printed where traider was first started, or is the one in <code>DASHBOARD_PASSWORD</code>.
        </p>
      </div>
    </main>
  );
}
