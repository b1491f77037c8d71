// Declares tests that need a program of this machine: they run where it is, or are skipped with how to get it.

import { findBinary } from "./find-binary.ts";
import { declareSkipped } from "./skipped.ts";

const HOW_TO_GET = {
  bash: "install bash",
  curl: "install curl",
  deno: "`npm install --global deno@2`",
  fish: "install fish",
  go: "install Go, 1.24 or later",
  node: "install Node",
  openssl: "install openssl",
  php: "install php-cli",
  python3: "install python3",
  strace: "install strace",
  sh: "a POSIX shell must be on the PATH",
  zsh: "install zsh",
} as const;

export type ProgramName = keyof typeof HOW_TO_GET;

/** The limit is there for the types of the runner; nobody gives one. */
type Declare<Body> = (title: string, body: Body, limitMs?: number) => void;
type Body = () => void;
type AsyncBody = () => Promise<unknown>;

/** The `describe` or `test` of a file, for what needs all of these programs. */
export function whereThere<B extends Body | AsyncBody>(
  declare: Declare<B>,
  ...names: readonly ProgramName[]
): Declare<B> {
  const missing = names.find((name) => findBinary(name) === undefined);
  if (missing === undefined) return declare;
  return (title) => declareSkipped(title, `needs ${missing}: ${HOW_TO_GET[missing]}`);
}
