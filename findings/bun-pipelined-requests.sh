#!/usr/bin/env bash
# Bun.serve: two requests that arrive in one write on one connection (HTTP/1.1 pipelining) get no answer at all when the
# first one is answered asynchronously.
# Expected: both answers, in order, as RFC 9112 section 9.3.2 asks of a server; node:http of Node gives them. A server that
# does not want to pipeline may answer the first with `connection: close`.
# Seen: with a synchronous answer both come; with one that resolves after a timer neither comes within two seconds, although
# the server has run the first request (Bun 1.4.5). The connection stays open.
# For callers of a server on Bun: wait for the answer, or use a second connection, as every common HTTP client does.
# Exits 0 while that is so, 1 when it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5 >/dev/null

cat >serve.mjs <<'JS'
let ran = 0;
const answer = async (request) => {
  const body = await request.text();
  ran += 1;
  if (new URL(request.url).pathname === "/later") await new Promise((done) => setTimeout(done, 50));
  return new Response(body);
};
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
const ask = (path) =>
  new Promise((resolve) => {
    ran = 0;
    let text = "";
    const one = (body) => `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        open: (socket) => void socket.write(one("first") + one("second")),
        data: (_, bytes) => void (text += bytes.toString()),
        close: () => undefined,
      },
    }).then((socket) =>
      setTimeout(() => {
        socket.end();
        resolve({ answers: text.split("HTTP/1.1 200").length - 1, ran });
      }, 2_000),
    );
  });
console.log(JSON.stringify({ now: await ask("/now"), later: await ask("/later") }));
process.exit(0);
JS
echo "bun $(npx --no-install bun --version)"
seen=$(npx --no-install bun serve.mjs)
echo "$seen"
[[ "$seen" == *'"later":{"answers":0,'* ]] || exit 1
