import type { ButtonHTMLAttributes } from "react";

import { cx } from "./cx";

type Look = "plain" | "primary" | "danger" | "ghost";

const LOOKS: Record<Look, string> = {
  plain: "border-line bg-raised text-ink hover:border-dim",
  primary: "border-transparent bg-accent font-semibold text-canvas hover:brightness-110",
  danger: "border-transparent bg-stop font-semibold text-on-stop hover:bg-stop-strong",
  ghost: "border-transparent text-dim hover:bg-raised hover:text-ink",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
}

export function Button({ look = "plain", className, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={cx(
        "inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md border px-3 whitespace-nowrap transition-colors",
        "disabled:cursor-not-allowed disabled:opacity-50 max-sm:min-h-10",
        LOOKS[look],
        className,
      )}
      {...rest}
    />
  );
}
