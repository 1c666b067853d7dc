/** A number as `text`, with the exact value it stands for on hover. */
export function Exact({ value, text }: { value: string | null | undefined; text: string }) {
  return <span title={value ?? undefined}>{text}</span>;
}
