"use client";

import type { ReactNode } from "react";

import { Dot, type Tone } from "@/components/ui/Dot";
import { Panel } from "@/components/ui/Panel";
import { QueryState } from "@/components/ui/QueryState";
import { Scroll } from "@/components/ui/Scroll";
import { Time } from "@/components/ui/Time";
import { formatAge, formatUtc } from "@/lib/format/time";
import { useNow } from "@/lib/react/useNow";

import { MARKET_DATA } from "@/features/risk/gates";
import { useRisk } from "@/features/risk/queries";

import { useConnection } from "./connection";
import { useMarketAge, useSystem } from "./queries";
import type { Component, System } from "./types";

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3 px-3 py-px">
      <dt className="shrink-0 text-dim">{name}</dt>
      <dd className="min-w-0 text-right break-words">{children}</dd>
    </div>
  );
}

function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <Dot tone={tone} />
      {children}
    </span>
  );
}

function Stream() {
  const { tone, word, meaning } = useConnection();
  return (
    <span title={meaning}>
      <State tone={tone}>{word}</State>
    </span>
  );
}

function DataAge({ stale, guarded }: { stale: boolean; guarded: boolean }) {
  const age = useMarketAge();
  const { word } = useConnection();
  const held = useRisk().data?.gates.some(({ gate }) => gate === MARKET_DATA) ?? false;
  if (age === null) return <State tone="idle">no data yet</State>;
  const tone = stale ? "bad" : held || !guarded || word === "Offline" ? "warn" : "good";
  return <State tone={tone}>{stale ? `stale, ${formatAge(age)}` : age < 1000 ? "under 1 s" : formatAge(age)}</State>;
}

function Uptime({ sinceMs }: { sinceMs: number }) {
  const now = useNow();
  return (
    <span title={`since ${formatUtc(sinceMs)}`}>
      for {formatAge(now - sinceMs)}
    </span>
  );
}

const TONES: Record<string, Tone> = { up: "good", degraded: "warn", down: "bad" };

function Troubled({ component, state, detail, ts_ms }: Component) {
  return (
    <Row name={component}>
      <State tone={TONES[state] ?? "idle"}>{state}</State> <span>{detail}</span> <Time tsMs={ts_ms} className="text-dim" />
    </Row>
  );
}

/** Those that are up in one line; each of the others with what it says and since when. */
function Components({ components }: { components: Component[] }) {
  const up = components.filter(({ state }) => state === "up");
  const troubled = components.filter(({ state }) => state !== "up");
  return (
    <>
      {up.length > 0 && (
        <Row name="Up">
          <span className="inline-flex flex-wrap justify-end gap-x-3">
            {up.map(({ component, detail, ts_ms }) => (
              <span key={component} title={`${detail === "" ? "up" : detail}, since ${formatUtc(ts_ms)}`}>
                <State tone="good">{component}</State>
              </span>
            ))}
          </span>
        </Row>
      )}
      {troubled.map((component) => (
        <Troubled key={component.component} {...component} />
      ))}
    </>
  );
}

function parameters(params: System["params"]): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

export function SystemPanel({ className }: { className?: string }) {
  const query = useSystem();
  return (
    <Panel id="system" title="System" fresh={query} className={className} aside={query.data && `traider ${query.data.version}`}>
      <QueryState query={query} what="The system's state" rows={6}>
        {(system) => (
          <Scroll label="System">
            <dl className="py-1.5 text-xs leading-5">
              <Row name="Guard">
                <State tone={system.guard_connected ? "good" : "bad"}>{system.guard_connected ? "connected" : "not connected"}</State>
              </Row>
              <Row name="Page">
                <Stream />
              </Row>
              <Row name="Market data">
                <DataAge stale={system.market_stale} guarded={system.guard_connected} />
              </Row>
              <Row name="Source">{system.source}</Row>
              <Row name="Strategy">
                {system.strategy}
              </Row>
              <Row name="Parameters">{parameters(system.params) || "none"}</Row>
              <Row name="Running">
                <Uptime sinceMs={system.started_ts_ms} />
              </Row>
              <Components components={system.components} />
            </dl>
          </Scroll>
        )}
      </QueryState>
    </Panel>
  );
}
