"use client";

import { Button } from "@/components/ui/Button";
import { ErrorBoundary } from "@/components/ui/ErrorBoundary";
import { Logo } from "@/components/ui/Logo";
import { GateBanner } from "@/features/risk/GateBanner";
import { KillBanner } from "@/features/risk/KillBanner";
import { KillSwitch } from "@/features/risk/KillSwitch";
import { UserMenu } from "@/features/session/UserMenu";
import { Alerts } from "@/features/system/Alerts";
import { ConnectionTag } from "@/features/system/ConnectionTag";
import { ModeBanner } from "@/features/system/ModeBanner";
import { useSystem } from "@/features/system/queries";
import { useView } from "@/lib/view/store";

function ThemeToggle() {
  const theme = useView((state) => state.theme);
  const toggle = useView((state) => state.toggleTheme);
  const next = theme === "dark" ? "light" : "dark";
  return (
    <Button look="ghost" className="px-2" onClick={toggle} aria-label={`Switch to the ${next} theme`} title={`${next} theme (t)`}>
      <span aria-hidden="true">{theme === "dark" ? "☀" : "☾"}</span>
    </Button>
  );
}

function Running() {
  const { data } = useSystem();
  if (data === undefined) return null;
  return (
    <p className="min-w-0 truncate text-dim max-md:hidden">
      <span className="font-semibold text-ink">{data.symbol}</span> · {data.strategy} · {data.source}
    </p>
  );
}

/** What stays in sight: the mode, the connection, and the kill switch, which a phone has at its thumb. */
export function Header({ onHelp }: { onHelp: () => void }) {
  return (
    <>
      <header className="sticky top-0 z-30">
        <ModeBanner />
        <div className="flex h-12 items-center gap-3 border-b border-line bg-panel px-3">
          <Logo />
          <ConnectionTag />
          <Running />
          <div className="ml-auto flex items-center gap-1">
            <Button look="ghost" className="px-2 max-sm:hidden" onClick={onHelp} aria-label="Keyboard shortcuts" title="Keyboard (?)">
              ?
            </Button>
            <ThemeToggle />
            <UserMenu />
          </div>
          <div className="sm:border-l sm:border-line sm:pl-3 max-sm:fixed max-sm:inset-x-0 max-sm:bottom-0 max-sm:border-t max-sm:border-line max-sm:bg-panel max-sm:px-3 max-sm:py-2 max-sm:pb-[max(0.5rem,env(safe-area-inset-bottom))]">
            <KillSwitch />
          </div>
        </div>
        <ErrorBoundary what="Alerts">
          <KillBanner />
          <GateBanner />
          <Alerts />
        </ErrorBoundary>
      </header>
    </>
  );
}
