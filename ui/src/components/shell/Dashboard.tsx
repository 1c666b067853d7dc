"use client";

import { useCallback, useState } from "react";

import { FillsPanel } from "@/features/fills/FillsPanel";
import { LiveConnection } from "@/features/live/LiveConnection";
import { PricePanel } from "@/features/market/PricePanel";
import { OpenOrdersPanel } from "@/features/orders/OpenOrdersPanel";
import { RefusalsPanel } from "@/features/orders/RefusalsPanel";
import { AccountStrip } from "@/features/portfolio/AccountStrip";
import { EquityPanel } from "@/features/portfolio/EquityPanel";
import { PositionsPanel } from "@/features/portfolio/PositionsPanel";
import { RiskPanel } from "@/features/risk/RiskPanel";
import { SystemPanel } from "@/features/system/SystemPanel";
import { useShortcuts } from "@/lib/keyboard/useShortcuts";

import { Footer } from "./Footer";
import { Header } from "./Header";
import { ShortcutHelp } from "./ShortcutHelp";

const MAIN_COLUMN =
  "grid min-h-0 min-w-0 grid-cols-1 gap-2 max-md:contents md:grid-cols-12 xl:grid-rows-[minmax(0,10fr)_minmax(0,4fr)_minmax(0,7fr)]";
const SIDE_COLUMN =
  "grid min-h-0 min-w-0 grid-cols-1 content-start gap-2 max-md:contents md:max-xl:grid-cols-2 xl:grid-rows-[minmax(0,auto)_minmax(12rem,1fr)] xl:content-stretch";
const TABLE = "max-md:max-h-96 md:max-xl:max-h-64";

/** The one page. On a wide screen everything is in sight at once; on a phone it is one column, the most wanted first. */
export function Dashboard() {
  const [help, setHelp] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  useShortcuts(openHelp);

  return (
    <div className="flex flex-col xl:h-dvh xl:min-h-[50rem]">
      <LiveConnection />
      <Header onHelp={openHelp} />
      <main className="flex min-h-0 flex-1 flex-col gap-2 p-2">
        <h1 className="sr-only">Dashboard</h1>
        <AccountStrip />
        <div className="grid min-h-0 flex-1 grid-cols-1 gap-2 xl:grid-cols-[minmax(0,1fr)_20rem] xl:grid-rows-1 min-[88rem]:grid-cols-[minmax(0,1fr)_22rem]">
          <div className={MAIN_COLUMN}>
            <PricePanel className="max-xl:h-80 md:col-span-12 md:max-xl:h-96" />
            <PositionsPanel className={`${TABLE} md:col-span-12 xl:col-span-6`} />
            <OpenOrdersPanel className={`${TABLE} md:col-span-12 xl:col-span-6`} />
            <FillsPanel className={`${TABLE} md:col-span-6 xl:col-span-5`} />
            <RefusalsPanel className={`${TABLE} md:col-span-6 xl:col-span-4`} />
            <SystemPanel className="max-md:order-last md:col-span-12 xl:col-span-3" />
          </div>
          <div className={SIDE_COLUMN}>
            <RiskPanel />
            <EquityPanel className="max-xl:h-72" />
          </div>
        </div>
      </main>
      <Footer />
      {help && <ShortcutHelp onClose={() => setHelp(false)} />}
    </div>
  );
}
