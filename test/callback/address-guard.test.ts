// Shows which addresses the guard lets a callback connect to.
import { describe, expect, test } from "bun:test";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import {
  AddressRefused,
  type AddressRules,
  createAddressGuard,
} from "../../src/callback/address-guard.ts";
import { rejectionOf } from "../support/rejection.ts";
import { privateAddresses, publicAddresses } from "./guarded-addresses.ts";

const strict: AddressRules = { allow: null, allowLoopback: false };

function isRefused(address: string, rules: AddressRules = strict): boolean {
  try {
    createAddressGuard(rules).checkLiteral(address);
    return false;
  } catch (error) {
    if (error instanceof AddressRefused) return true;
    throw error;
  }
}

describe("without CALLBACK_ALLOW", () => {
  test.each(publicAddresses)("%s may be reached", (address) => {
    expect(isRefused(address)).toBe(false);
  });

  test.each(privateAddresses)("%s: %s is refused", (_, address) => {
    expect(isRefused(address)).toBe(true);
  });

  test("loopback may be reached where that is allowed, and nothing else with it", () => {
    const rules = { allow: null, allowLoopback: true };
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
      expect(isRefused(address, rules)).toBe(false);
    }
    for (const address of ["0.0.0.0", "::", "10.0.0.1", "169.254.169.254", "fe80::1"]) {
      expect(isRefused(address, rules)).toBe(true);
    }
  });
});

describe("with CALLBACK_ALLOW", () => {
  const rules = {
    allow: ["10.1.0.0/16", "192.168.7.7", "fd00:1::/32", "Intranet.Example.", "localhost"],
    allowLoopback: false,
  };

  test.each(["10.1.2.3", "192.168.7.7", "fd00:1::9", "::ffff:10.1.2.3", "8.8.8.8"])(
    "%s may be reached",
    (address) => expect(isRefused(address, rules)).toBe(false),
  );

  test.each(["10.2.0.1", "192.168.7.8", "fd00:2::9", "127.0.0.1", "::1"])(
    "%s is still refused",
    (address) => expect(isRefused(address, rules)).toBe(true),
  );

  test("a named host may have private addresses, however it is written", async () => {
    for (const name of ["localhost", "LOCALHOST"]) {
      expect((await look(name, rules)).length).toBeGreaterThan(0);
    }
  });

  test("an empty list allows nothing", () => {
    expect(isRefused("127.0.0.1", { allow: [], allowLoopback: false })).toBe(true);
  });
});

describe("names", () => {
  test("a name with a private address is refused with the address in the message", async () => {
    const refusal = await rejectionOf(look("localhost", strict));
    expect(String(refusal)).toMatch(
      /AddressRefused: (127\.0\.0\.1|::1) \(an address of localhost\) is not a public address/,
    );
  });

  test("the refusal also reaches callers that want one address", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    createAddressGuard(strict).lookup("localhost", { all: false }, (error) => resolve(error));
    expect(await promise).toBeInstanceOf(AddressRefused);
  });

  test("a caller that wants one address gets one that was checked", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const guard = createAddressGuard({ allow: null, allowLoopback: true });
    guard.lookup("localhost", { family: 4 }, (error, address, family) => {
      resolve([error, address, family]);
    });
    expect(await promise).toEqual([null, "127.0.0.1", 4]);
  });

  test("a name that does not exist is no refusal", async () => {
    const failure = await rejectionOf(look("no-such-host.invalid", strict));
    expect(failure).toMatchObject({ code: "ENOTFOUND" });
  });
});

describe("names that change their mind", () => {
  const answering = (...answers: readonly (readonly string[])[]) => {
    let asked = 0;
    return createAddressGuard(strict, (_, __, callback) => {
      const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      callback(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      );
    });
  };
  const ask = async (guard: ReturnType<typeof answering>) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    guard.lookup("shop.example", { all: true }, (error, found) => resolve(error ?? found));
    return promise;
  };

  test("one private address among public ones refuses them all", async () => {
    for (const bad of ["10.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%eth0", "not an address"]) {
      expect(await ask(answering(["8.8.8.8", bad]))).toBeInstanceOf(AddressRefused);
      expect(await ask(answering([bad, "8.8.8.8"]))).toBeInstanceOf(AddressRefused);
    }
  });

  test("they are checked anew at every attempt", async () => {
    const guard = answering(["8.8.8.8"], ["127.0.0.1"]);
    expect(await ask(guard)).toEqual([{ address: "8.8.8.8", family: 4 }]);
    expect(await ask(guard)).toBeInstanceOf(AddressRefused);
  });
});

function look(name: string, rules: AddressRules): Promise<readonly LookupAddress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>();
  createAddressGuard(rules).lookup(name, { all: true }, (error, addresses) => {
    if (error) reject(error);
    else resolve(typeof addresses === "string" ? [] : addresses);
  });
  return promise;
}
