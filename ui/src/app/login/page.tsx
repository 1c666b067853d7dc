import type { Metadata } from "next";

import { LoginForm } from "@/features/session/LoginForm";

export const metadata: Metadata = { title: "Log in · traider" };

export default function Login() {
  return <LoginForm />;
}
