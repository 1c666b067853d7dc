import { defineConfig, globalIgnores } from "eslint/config";
import coreWebVitals from "eslint-config-next/core-web-vitals";
import typescript from "eslint-config-next/typescript";

export default defineConfig([
  ...coreWebVitals,
  ...typescript,
  globalIgnores([".next/**", "out/**", "next-env.d.ts", "src/lib/api/schema.d.ts"]),
  {
    rules: {
      "no-restricted-globals": ["error", { name: "fetch", message: "Requests belong in src/lib/api and src/lib/live; components use queries." }],
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  { files: ["src/lib/api/**", "src/lib/live/**", "tests/**"], rules: { "no-restricted-globals": "off" } },
]);
