// ESLint rules for all TypeScript and JavaScript here.

import eslint from "typescript-eslint";

import { ABSENT } from "../server/emulator/phone/compile/globals.mjs";

const WECHAT = ["App", "Page", "Component", "Behavior", "wx", "getApp", "getCurrentPages"];
const BUDGET = { max: 400, skipBlankLines: false, skipComments: false };

/**
 * Date formats that every phone parses: `2026-04-01`, `2026-04-01T08:00:00+08:00`, `2026/4/1
 * 08:00`.
 */
const READ = String.raw`/^(\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?|\d{4}\/\d{1,2}\/\d{1,2}( \d{1,2}:\d\d(:\d\d)?)?)$/`;
const LOOKBEHIND = String.raw`/\(\?<[=!]/`;
const DATES = ["NewExpression[callee.name='Date']", "CallExpression[callee.object.name='Date'][callee.property.name='parse']"];
const IPHONES = [
  ...["Literal[regex.pattern=" + LOOKBEHIND + "]", ...["NewExpression", "CallExpression"].map((kind) => `${kind}[callee.name='RegExp'] > Literal[value=${LOOKBEHIND}]`)].map(
    (selector) => ({ selector, message: "iPhones before iOS 16.4 stop at a regular expression that looks behind." }),
  ),
  ...DATES.flatMap((call) => [
    { selector: `${call} > Literal[raw=/^['"]/]:not([value=${READ}])`, message: "iPhones do not read this date: write 2026-04-01, 2026-04-01T08:00:00+08:00 or 2026/4/1 08:00." },
    { selector: `${call} > :matches(TemplateLiteral, BinaryExpression[operator='+']:has(Literal[raw=/^['"]/]))`, message: "iPhones may not read a date that is put together: give numbers to new Date." },
  ]),
];

export default eslint.config(
  { ignores: ["**/node_modules/", "var/", ".venv/**", ".venv", "**/miniprogram_npm/", "server/base/", "server/console/static/", "server/emulator/pages/", ".ci/", "docs/", "tests/e2e/", "tests/phone/program/"] },
  ...eslint.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(WECHAT.map((name) => [name, "readonly"])) },
    rules: {
      "max-lines": ["error", BUDGET],
      "max-lines-per-function": ["error", 40],
      // ?? and ?. count as branches too.
      complexity: ["error", 16],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-var": "error",
      "prefer-const": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
    },
  },
  // The head of a page needs a plain script.
  { files: ["server/console/assets/*.js"], languageOptions: { sourceType: "script" }, rules: { "max-lines-per-function": "off" } },
  {
    files: ["miniprogram/**/*.ts"],
    rules: { "no-restricted-globals": ["error", "globalThis", "eval", ...ABSENT], "no-restricted-syntax": ["error", ...IPHONES], "no-new-func": "error" },
  },
  { files: ["tests/**"], rules: { "max-lines-per-function": "off", "@typescript-eslint/no-unused-expressions": "off", "@typescript-eslint/no-explicit-any": "off" } },
);
