import assert from "node:assert/strict";
import { isIPv4 as nodeIsIPv4, isIPv6 as nodeIsIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isIPv4, isIPv6 } from "./ip_text.ts";

const CASES = [
  "",
  "0.0.0.0",
  "255.255.255.255",
  "256.1.1.1",
  "01.1.1.1",
  "1.1.1",
  "1.1.1.1.1",
  "1.1.1.1 ",
  "::",
  "::1",
  "1::",
  ":::",
  ":1",
  "1:",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1::2:3:4:5:6:7:8",
  "1::3:4:5:6:7:8",
  "1:2:3:4:5:6:7::",
  "::2:3:4:5:6:7:8",
  "1::2::3",
  "12345::",
  "g::",
  "::1.2.3.4",
  "1:2:3:4:5:6:1.2.3.4",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1.2.3.4::",
  "::1.2.3.4:5",
  "fe80::1%eth0",
  "fe80::1%",
  "fe80::1%a b",
  "fe80::1%a%b",
  "%eth0",
];

test("IP addresses: the cases that differ by one character are judged as node:net judges them", () => {
  for (const text of CASES) {
    assert.equal(isIPv4(text), nodeIsIPv4(text), JSON.stringify(text));
    assert.equal(isIPv6(text), nodeIsIPv6(text), JSON.stringify(text));
  }
});

test("IP addresses: texts made of their parts are judged as node:net judges them", () => {
  const part = fc.constantFrom(
    "0",
    "1",
    "9",
    "255",
    "256",
    "00",
    "ffff",
    "fFf",
    "g",
    ":",
    "::",
    ".",
  );
  const parts = fc.array(fc.oneof({ weight: 1, arbitrary: part }, fc.constantFrom(":", "1")), {
    maxLength: 18,
  });
  fc.assert(
    fc.property(parts, (list) => {
      const text = list.join("");
      assert.equal(isIPv6(text), nodeIsIPv6(text), text);
      assert.equal(isIPv4(text), nodeIsIPv4(text), text);
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    assert.equal(isIPv4(text), nodeIsIPv4(text), text);
    assert.equal(isIPv6(text), nodeIsIPv6(text), text);
  }));
});
