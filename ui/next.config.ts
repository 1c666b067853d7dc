import { fileURLToPath } from "node:url";

import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";

const root = fileURLToPath(new URL(".", import.meta.url));

/** `npm run build` writes plain files to out/; `npm run dev` talks to a running `traider up` instead. */
export default function config(phase: string): NextConfig {
  const shared: NextConfig = {
    reactStrictMode: true,
    trailingSlash: true, // /login becomes login/index.html, which any static file server finds
    turbopack: { root },
  };
  if (phase === PHASE_DEVELOPMENT_SERVER) {
    const api = process.env.TRAIDER_API ?? "http://127.0.0.1:8000";
    return {
      ...shared,
      compress: false, // a compressed event stream would be held back
      skipTrailingSlashRedirect: true,
      rewrites: async () => [{ source: "/api/:path*", destination: `${api}/api/:path*` }],
    };
  }
  return { ...shared, output: "export", images: { unoptimized: true } };
}
