"use client";

import { Component, type ErrorInfo, type ReactNode } from "react";

import { errorText } from "@/lib/api/client";

import { ErrorState } from "./states";

interface Props {
  what: string;
  children: ReactNode;
}

/** What breaks inside stays inside, and can be tried again. */
export class ErrorBoundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    window.reportError(new Error(`${this.props.what}: ${error.message}${info.componentStack ?? ""}`, { cause: error }));
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <ErrorState message={`This part of the page failed: ${errorText(error)}`} onRetry={() => this.setState({ error: null })} />;
  }
}
