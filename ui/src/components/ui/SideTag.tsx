import { cx } from "./cx";

/** BUY ▲ or SELL ▼: a word, a shape and a colour. */
export function SideTag({ side }: { side: "buy" | "sell" }) {
  const buy = side === "buy";
  return (
    <span className={cx("font-semibold", buy ? "text-up" : "text-down")}>
      <span aria-hidden="true" className="mr-1 text-2xs">
        {buy ? "▲" : "▼"}
      </span>
      {buy ? "Buy" : "Sell"}
    </span>
  );
}
