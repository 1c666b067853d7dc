import Link from "next/link";

export default function NotFound() {
  return (
    <main className="grid min-h-dvh place-items-center p-6 text-center">
      <div>
        <h1 className="text-lg font-semibold">There is no such page</h1>
        <p className="mt-2 text-dim">
          <Link href="/" className="text-accent underline underline-offset-2">
            Go to the dashboard
          </Link>
        </p>
      </div>
    </main>
  );
}
