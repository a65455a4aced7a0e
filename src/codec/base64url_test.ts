import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { fromBase64Url, toBase64Url } from "./base64url.ts";

test("base64url: the vectors of RFC 4648, section 10, without padding", () => {
  const cases = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
  cases.forEach((text, length) => {
    const bytes = new TextEncoder().encode("foobar".slice(0, length));
    assert.equal(toBase64Url(bytes), text);
    assert.deepEqual(fromBase64Url(text), bytes);
  });
});

test("base64url: agrees with the platform on any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const platform = btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    assert.equal(toBase64Url(bytes), platform);
    assert.deepEqual(fromBase64Url(platform), new Uint8Array(bytes));
  }));
});

test("base64url: every other spelling is refused without repeating it", () => {
  for (const text of ["Z", "Zg==", "Zm+v", "Zm/v", "Zm 9", "Zh", "Zm9", "-_9", "Zmé", "Zm\n8"]) {
    assert.throws(
      () => fromBase64Url(text),
      (error) =>
        error instanceof SttError && error.code === "BASE64" && !error.message.includes(text),
      JSON.stringify(text),
    );
  }
});
