// When two creates are the same request: against RFC 8785's examples, and against digests of the release before.
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  type AnyParts,
  isSameRequest,
  requestDigests,
  type SameParts,
} from "../../src/core/same-request.ts";
import { readContent } from "../../src/core/task-content.ts";

const ZONE = "Asia/Shanghai";

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

interface More {
  readonly runtime?: SameParts["runtime"];
  readonly retry?: NonNullable<SameParts["retry"]>;
}

function digestsOf(content: string, more: More = {}) {
  const parts = { name: "name", timeout: 60_000, ...more };
  return requestDigests({ ...parts, content: readContent(content) }, ZONE);
}

const SIMPLE_JOB =
  '{"class":"\\\\Serendipity\\\\Job\\\\Job\\\\SimpleJob","_params":{"startDate":"2021-07-27 17:50:50","endDate":"2021-07-27 17:50:50"}}';

describe("what the release before knew a request by", () => {
  // biome-ignore format: a table is read by its columns
  const ordinary: readonly [string, string, More][] = [
    ["7b9ab4cc90a8e0182a9c5888afd9c0bff7ff8699e584e568eeb3a894197cf310", '{"order":1001,"template":"shipped"}', {}],
    ["5d56a2e51d43f0538cf0446d48bc240c46fe586f89c2ae3658906120397eb666", '{"price":0.1,"one":1.0,"big":9007199254740991,"small":1e-7,"huge":1.5E300,"zero":-0,"t":[0.30,100,1e2]}', {}],
    ["ffd30739078094a30b5b5d675325657aad7c7085a495557dfe47337fb0d57d1a", '{"text":"\\u5e05 \\/ \\ud83d\\ude00","10":1,"9":2,"n":null,"b":[true,false]}', {}],
    ["e8f19fc05d3c95cacdb79ac2fa6ec53991eb755e9f5e315ac5f2a5366afd81db", '{"order":1}', { runtime: 1_900_000_000_000 }],
    ["c6802e5f1c7b728d1de0698e3f4fa7c77e3c758a3e94bafa63d9229b7750f3dc", '{"order":1}', { retry: { strategy: "exponential", max: 5 } }],
  ];
  // biome-ignore format: a table is read by its columns
  const inexact: readonly [string, string, More][] = [
    ["45b874a9ef7a10dac5434e21c5718479a18ec5ca8cdd292c1f3d6972800e31dc", SIMPLE_JOB, { runtime: "2021-07-27 17:30:30" }],
    ["e48cd6b2e39c587a89fb84a38a2f545195249853901078f666516cc5f256f789", '{"order":1}', { runtime: 1_627_371_056 }],
    ["9ae78ebc99b6088cc19307ccc8c5d78cd132c17f823ee44a1cf8ed0a2cb5b7da", '{"order":1}', { runtime: 0 }],
    ["667143b21750b63a291650afeccfc04e25c787f348ad84fb8468b2bf245cda15", '{"order":1}', { runtime: "2030-03-17T17:46:40Z" }],
    ["4d2efc822d0ad27c1228353d88f0d440b98a6bd699716e005830a8c32f18db96", '{"orderId":9007199254740993}', {}],
  ];

  test.each(ordinary)("%s is kept, and is all there is", (digest, content, more) => {
    expect(digestsOf(content, more)).toEqual({ digest, exactDigest: digest });
  });

  test.each(inexact)("%s is kept beside an exact one", (digest, content, more) => {
    const digests = digestsOf(content, more);
    expect(digests.digest).toBe(digest);
    expect(digests.exactDigest).not.toBe(digest);
  });

  test.each([...ordinary, ...inexact])(
    "%s in a row still means the same request",
    (digest, content, more) => {
      const old = { digest, exactDigest: null };
      expect(isSameRequest(old, digestsOf(content, more))).toBeTrue();
      expect(isSameRequest(old, digestsOf('{"order":2}', more))).toBeFalse();
    },
  );
});

describe("sameness", () => {
  const same = {
    name: "n",
    content: readContent('{"a":1,"b":[1.5,"x"]}'),
    timeout: 1000,
  };
  const isSame = (first: AnyParts, second: AnyParts) =>
    isSameRequest(requestDigests(first, ZONE), requestDigests(second, ZONE));

  test("is SHA-256 over the RFC 8785 form: its number and string example", () => {
    // Without the one number that has another value than its double.
    const content =
      '{"numbers":[333333333.3333333,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}';
    const canonical =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    const digest = sha256(`{"content":${canonical},"name":"name","timeout":60000}`);
    expect(digestsOf(content)).toEqual({ digest, exactDigest: digest });
  });

  test("sorts keys by UTF-16 code units, as the RFC's sorting example", () => {
    const content = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const canonical =
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control",' +
      '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",' +
      '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}';
    const digest = sha256(`{"content":${canonical},"name":"name","timeout":60000}`);
    expect(digestsOf(JSON.stringify(content)).digest).toBe(digest);
  });

  test.each([
    { ...same, content: readContent('{"b":[15e-1,"\\u0078"],"a":1.0}') },
    { ...same, runtime: undefined },
    { ...same, runtime: 0 },
    { ...same, runtime: "0" },
  ])("does not depend on order, spelling or an absent runtime (%#)", (other) => {
    expect(isSame(same, other)).toBeTrue();
    expect(isSame(other, same)).toBeTrue();
  });

  test.each([
    ["9007199254740993", "9007199254740993.0"],
    ["1E-400", "0.1e-399"],
    ["-123456789012345678901234567890", "-1234567890123456789012345678.9e2"],
  ])("numbers of one value are the same in any form: %s and %s", (first, second) => {
    expect(digestsOf(`{"n":${first}}`)).toEqual(
      expect.objectContaining({ exactDigest: digestsOf(`{"n":${second}}`).exactDigest }),
    );
  });

  test("numbers of any value do not make the order of keys count", () => {
    const [first, second] = [
      '{"a":1e400,"b":{"c":1e401,"d":2}}',
      '{"b":{"d":2,"c":1e401},"a":1e400}',
    ];
    expect(digestsOf(first).exactDigest).toBe(digestsOf(second).exactDigest);
    expect(digestsOf(first).exactDigest).toBe(
      sha256('{"content":{"a":1e400,"b":{"c":1e401,"d":2}},"name":"name","timeout":60000}'),
    );
  });

  test("the same instant in another form is the same", () => {
    const forms = [
      1_900_000_000,
      1_900_000_000_000,
      "1900000000",
      "2030-03-18 01:46:40",
      "2030-03-17T17:46:40Z",
    ];
    const digests = forms.map((runtime) => requestDigests({ ...same, runtime }, ZONE));
    expect(new Set(digests.map(({ exactDigest }) => exactDigest)).size).toBe(1);
    expect(new Set(digests.map(({ digest }) => digest)).size).toBe(forms.length);
  });

  test("changes with each part", () => {
    const others: { readonly [Field in keyof SameParts]: SameParts[Field] } = {
      name: "m",
      content: readContent('{"a":2,"b":[1.5,"x"]}'),
      timeout: 1001,
      runtime: 1_627_371_056,
      retry: { max: 1 },
    };
    for (const [field, other] of Object.entries(others)) {
      expect({ field, isSame: isSame(same, { ...same, [field]: other }) }).toEqual({
        field,
        isSame: false,
      });
    }
  });

  test("changes with the instant, and with the last digit of a number", () => {
    const content = (text: string) => ({ ...same, content: readContent(text) });
    const digests = [
      same,
      content('{"a":2,"b":[1.5,"x"]}'),
      content('{"a":"1","b":[1.5,"x"]}'),
      content('{"a":1,"b":[1.5,"x"],"c":null}'),
      content('{"a":9007199254740992}'),
      content('{"a":9007199254740993}'),
      content('{"a":"9007199254740993"}'),
      content('{"a":{"rawJSON":"9007199254740993"}}'),
      content('{"a":null}'),
      content('{"a":1e400}'),
      content('{"a":1e401}'),
      { ...same, runtime: 1_627_371_056 },
      { ...same, runtime: 1_627_371_057 },
    ].map((parts) => requestDigests(parts, ZONE).exactDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test.each(['{"a":"\\ud800"}', '{"\\udc00":1}', '{"\\udc00":1e400}'])(
    "cannot be told of %s",
    (text) => {
      expect(() => digestsOf(text)).toThrow("content must hold only well-formed Unicode");
    },
  );
});
