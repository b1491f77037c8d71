// Makes certificates for receivers on this machine: a good one, an expired one and one of another name, all of one CA.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "../support/find-binary.ts";

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

export interface Certificates {
  /** The file that NODE_EXTRA_CA_CERTS (on Deno: DENO_CERT) must name. */
  readonly caPath: string;
  readonly good: KeyPair;
  readonly expired: KeyPair;
  readonly wrongName: KeyPair;
  remove(): void;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export function createCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const at = (name: string) => join(folder, name);
  const caPath = at("ca.pem");
  const ca = ["-subj", "/CN=Test CA", "-keyout", at("ca.key"), "-out", caPath];
  openssl("req", "-x509", ...KEY, "-days", "2", ...ca);

  function issue(name: string, host: string, days: string): KeyPair {
    const [key, request, cert, extensions] = ["key", "csr", "pem", "ext"].map((it) =>
      at(`${name}.${it}`),
    ) as [string, string, string, string];
    writeFileSync(extensions, `subjectAltName=DNS:${host}`);
    openssl("req", ...KEY, "-subj", `/CN=${host}`, "-keyout", key, "-out", request);
    const signer = ["-CA", caPath, "-CAkey", at("ca.key"), "-CAcreateserial"];
    const how = ["-days", days, "-extfile", extensions, "-out", cert];
    openssl("x509", "-req", "-in", request, ...signer, ...how);
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  }

  return {
    caPath,
    good: issue("good", "localhost", "2"),
    expired: issue("expired", "localhost", "-1"),
    wrongName: issue("wrong", "elsewhere.example", "2"),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function openssl(...args: readonly string[]): void {
  const binary = findBinary("openssl");
  if (binary === undefined) throw new Error("TLS receivers need openssl on the PATH");
  execFileSync(binary, args, { stdio: "ignore" });
}
