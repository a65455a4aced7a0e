import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "./secret.ts";

test("Deno.inspect and console.log of Deno show [secret]", () => {
  const secret = new Secret(Uint8Array.of(201, 202, 203));
  assert.equal(Deno.inspect(secret), "[secret]");
  const nested = Deno.inspect({ deep: [secret] }, { depth: 9, getters: true, showProxy: true });
  assert.equal(nested, "{ deep: [ [secret] ] }");
});
