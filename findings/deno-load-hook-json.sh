#!/usr/bin/env bash
# Deno: a `load` hook of node:module that passes everything on breaks `require` of JSON, and with it packages such as ajv.
# Expected: registerHooks({ load: (url, context, next) => next(url, context) }) changes nothing, as without hooks.
# Seen: the result of `next` has no `format`, so the JSON text is compiled as JavaScript: "SyntaxError: Unexpected token ':'".
# A hook that adds `format: "json"` is the way round.
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund deno@2.9.6 ajv@8.20.0 >/dev/null

cat >hooked.mjs <<'JS'
import { createRequire, registerHooks } from "node:module";
import process from "node:process";
const loads = {
  none: undefined,
  passing: (url, context, next) => next(url, context),
  naming: (url, context, next) => {
    const loaded = next(url, context);
    return url.endsWith(".json") ? { ...loaded, format: "json" } : loaded;
  },
};
const load = loads[process.argv[2]];
if (load) registerHooks({ load });
try {
  const Ajv = createRequire(import.meta.url)("ajv");
  console.log(new Ajv().validate({ type: "string" }, "text"));
} catch (error) {
  console.log(`${error.name}: ${error.message}`);
}
JS
npx --no-install deno --version | head -n 1
for hook in none passing naming; do
  said=$(npx --no-install deno run -A hooked.mjs "$hook")
  echo "$hook: $said"
  case "$hook: $said" in
    "none: true" | "passing: SyntaxError: Unexpected token ':'" | "naming: true") ;;
    *) exit 1 ;;
  esac
done
