export function Footer() {
  return (
    <footer className="px-3 pb-1.5 text-2xs text-dim max-sm:pb-24">
      Charts by{" "}
      <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer" className="underline underline-offset-2">
        TradingView Lightweight Charts™
      </a>
      , © 2025 TradingView, Inc.
    </footer>
  );
}
