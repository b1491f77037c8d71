// Ways to write an address that must not be reached, from published lists of how guards were got around.
import { networkInterfaces } from "node:os";

const loopback = [
  // Plain, short, and with every byte.
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "0",
  // One number: decimal, octal, hexadecimal; also with more digits than needed.
  "2130706433",
  "017700000001",
  "0x7f000001",
  "0x000000007f000001",
  "0X7F000001",
  // Mixed parts.
  "0x7f.1",
  "0177.1",
  "0177.0.0.1",
  "0177.0000.0000.0001",
  "0x7f.0x0.0x0.0x1",
  "127.0x0.0.01",
  "00000177.0.0.1",
  // Encoded, in other digits, with other dots, with a dot behind.
  "%31%32%37.0.0.1",
  "127%2e0%2e0%2e1",
  "１２７.0.0.1",
  "①②⑦.⓪.⓪.①",
  "127。0。0。1",
  "127｡0｡0｡1",
  "127．0．0．1",
  "127.0.0.1.",
  "127\u00ad.0.0.1",
  // Names.
  "localhost",
  "LOCALHOST",
  "localhost.",
  "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
];

const ipv6 = [
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000:0000:0000:0000:0000:0000:0001]",
  "[::]",
  // IPv4 inside: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
  "[fe80::5efe:127.0.0.1]",
  "[fe80::1]",
  "[fec0::1]",
  "[fd00:ec2::254]",
  "[ff02::1]",
];

const elsewhere = [
  // Metadata of clouds, written in some ways.
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "0251.0376.0251.0376",
  "169.254.43518",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[64:ff9b::a9fe:a9fe]",
  "[2002:a9fe:a9fe::]",
  "100.100.100.200",
  "168.63.129.16.nip.invalid",
  "10.0.0.1",
  "192.168.0.1",
  "172.16.0.1",
  "100.64.0.1",
  "198.18.0.1",
  "192.0.0.192",
  "224.0.0.1",
  "255.255.255.255",
];

const ownPrivateHosts = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ address }) => /^(10|172|192\.168|169\.254|127|fe80|fd)/.test(address))
  .map(({ address, family }) => (family === "IPv6" ? `[${address.replace(/%.*/, "")}]` : address));

/** Each as the host of a URL; the same on every machine. */
export const writtenHosts: readonly string[] = [...loopback, ...ipv6, ...elsewhere];

/** With the private addresses of this machine. */
export const bypassHosts: readonly string[] = [...writtenHosts, ...ownPrivateHosts];

/** Refused as an address, or never resolved, or no URL at all: what counts is that nothing is connected. */
export const REFUSALS: readonly string[] = ["address_refused", "name_not_resolved", "url_invalid"];

/** Tricks with the rest of a URL; `PORT` stands for the canary's. */
export const bypassUrls: readonly string[] = [
  "http://shop.example@127.0.0.1:PORT/",
  "http://shop.example:80@127.0.0.1:PORT/",
  "http://@127.0.0.1:PORT/",
  "http://127.0.0.1:PORT@shop.invalid/",
  "http://shop.example%2f@127.0.0.1:PORT/",
  "http:\\\\127.0.0.1:PORT\\",
  "http:/127.0.0.1:PORT/",
  "http:127.0.0.1:PORT/",
  "http://127.0.0.1:PORT#@shop.example/",
  "http://127.0.0.1:PORT?@shop.example/",
  "http://127.0.0.1\t:PORT/",
  "http://127.0.\n0.1:PORT/",
  "http://[::1%25lo]:PORT/",
  "http://[fe80::1%25eth0]:PORT/",
  "HTTP://127.0.0.1:PORT/",
  "https://127.0.0.1:PORT/",
  "https://localhost:PORT/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:PORT/_x",
  "ftp://127.0.0.1:PORT/",
  "unix:/var/run/docker.sock",
  "data:text/plain,success",
  "blob:http://127.0.0.1:PORT/x",
  "http://127.0.0.1:0/",
  "http://127.0.0.1:22/",
  "http://127.0.0.1:25/",
];
