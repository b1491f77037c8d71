#!/usr/bin/env bash
# Bun: the AggregateError of Promise.any has no stack and no message when its promises reject later than at once.
# Expected: like every thrown error a stack that says where, as for `new AggregateError(…)` and as Deno (V8) has it; and no
# own `cause`, because nothing was given as one.
# Seen: stack is undefined, message is empty, and there is an own property `cause` that is undefined. Logs and fingerprints
# that are made of name, message and stack know nothing but "AggregateError".
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 deno@2.9.6 >/dev/null

cat >any.mjs <<'JS'
async function ask() {
  const asked = ["a", "b"].map(async (name) => {
    await null;
    throw new TypeError(name);
  });
  return await Promise.any(asked);
}
try {
  await ask();
} catch (error) {
  const { message, stack } = error;
  const told = { isAggregate: error instanceof AggregateError, message, hasStack: typeof stack === "string" };
  const inner = error.errors.map((each) => `${each.message}: ${typeof each.stack}`);
  console.log(JSON.stringify({ ...told, hasOwnCause: Object.hasOwn(error, "cause"), inner }));
}
JS
echo "bun $(npx --no-install bun --version)"
bun=$(npx --no-install bun any.mjs)
echo "$bun"
echo "$(npx --no-install deno --version | head -n 1)"
deno=$(npx --no-install deno run -A any.mjs)
echo "$deno"

inner='"inner":["a: string","b: string"]}'
[ "$bun" = '{"isAggregate":true,"message":"","hasStack":false,"hasOwnCause":true,'"$inner" ] || exit 1
[ "$deno" = '{"isAggregate":true,"message":"All promises were rejected","hasStack":true,"hasOwnCause":false,'"$inner" ] || exit 1
