// Style of everything that is written in TypeScript or JavaScript here.

import eslint from "typescript-eslint";

import { ABSENT } from "../server/emulator/phone/compile/globals.mjs";

const WECHAT = ["App", "Page", "Component", "Behavior", "wx", "getApp", "getCurrentPages"];
const BUDGET = { max: 400, skipBlankLines: false, skipComments: false };

export default eslint.config(
  { ignores: ["**/node_modules/", "var/", ".venv/**", ".venv", "**/miniprogram_npm/", "server/base/", "server/emulator/pages/", ".ci/", "docs/", "tests/e2e/", "tests/phone/program/"] },
  ...eslint.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(WECHAT.map((name) => [name, "readonly"])) },
    rules: {
      "max-lines": ["error", BUDGET],
      "max-lines-per-function": ["error", 40],
      // Each ?? and ?. counts as a way too.
      complexity: ["error", 16],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-var": "error",
      "prefer-const": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  { files: ["miniprogram/**/*.ts"], rules: { "no-restricted-globals": ["error", "globalThis", "eval", ...ABSENT] } },
  { files: ["tests/**"], rules: { "max-lines-per-function": "off", "@typescript-eslint/no-unused-expressions": "off", "@typescript-eslint/no-explicit-any": "off" } },
);
