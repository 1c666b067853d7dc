import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

// Of the tests in .ts files none draws anything: they run without a page, which takes longer to make than they do.
export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  esbuild: { jsx: "automatic" },
  test: {
    env: { TZ: "Europe/Berlin" }, // not UTC, so that a test of local time means something
    restoreMocks: true,
    projects: [
      { extends: true, test: { name: "logic", environment: "node", include: ["tests/**/*.test.ts"] } },
      { extends: true, test: { name: "page", environment: "jsdom", include: ["tests/**/*.test.tsx"], setupFiles: ["tests/setup.ts"] } },
    ],
  },
});
