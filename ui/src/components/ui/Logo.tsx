export function Logo({ className }: { className?: string }) {
  return (
    <span className={`inline-flex items-center gap-2 font-semibold tracking-tight ${className ?? ""}`}>
      <svg viewBox="0 0 24 24" className="size-5" aria-hidden="true">
        <path d="M5 4v14M12 3v18M19 6v11" stroke="var(--color-dim)" strokeWidth="1.4" strokeLinecap="round" />
        <rect x="3" y="9" width="4" height="6" rx="1" fill="var(--color-down)" />
        <rect x="10" y="6" width="4" height="10" rx="1" fill="var(--color-up)" />
        <rect x="17" y="8" width="4" height="6" rx="1" fill="var(--color-up)" />
      </svg>
      traider
    </span>
  );
}
