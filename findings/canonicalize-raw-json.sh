#!/usr/bin/env bash
# canonicalize (RFC 8785) and JSON.rawJSON: a number that JSON.stringify prints as it stands becomes an object with a key.
# Expected: what JSON.stringify prints as a number is a number in the canonical form too, or is refused, as NaN, Infinity
# and lone surrogates are: the canonical text of a value parses back to what JSON.stringify's text parses back to.
# Seen, on Bun and Deno: {"id":{"rawJSON":"1.5"}} where JSON.stringify prints {"id":1.5}, without an error. A digest over it
# equals that of another document, which really has the key "rawJSON".
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund canonicalize@5.1.0 bun@1.4.5 deno@2.9.6 >/dev/null

cat >raw.mjs <<'JS'
import canonicalize from "canonicalize";
const document = { id: JSON.rawJSON("1.5") };
const other = { id: { rawJSON: "1.5" } };
console.log(JSON.stringify(document), canonicalize(document), canonicalize(document) === canonicalize(other));
JS
seen='{"id":1.5} {"id":{"rawJSON":"1.5"}} true'
echo "canonicalize $(npm ls canonicalize --depth 0 --parseable --long | sed 's/.*@//')"
echo "bun $(npx --no-install bun --version)"
bun=$(npx --no-install bun raw.mjs)
echo "$bun"
npx --no-install deno --version | head -n 1
deno=$(npx --no-install deno run -A raw.mjs)
echo "$deno"
[ "$bun" = "$seen" ] && [ "$deno" = "$seen" ] || exit 1
