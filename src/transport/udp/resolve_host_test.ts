import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { resolveHost } from "./resolve_host.ts";

test("IP addresses come back as they are", async () => {
  assert.deepEqual(await resolveHost("192.0.2.7"), { host: "192.0.2.7", family: 4 });
  assert.deepEqual(await resolveHost("2001:db8::1", 4), { host: "2001:db8::1", family: 6 });
});

test("names are looked up in the family that was asked for", async () => {
  assert.deepEqual(await resolveHost("localhost", 4), { host: "127.0.0.1", family: 4 });
});

test("an unknown name is a TRANSPORT error, an abort its reason", async () => {
  await assert.rejects(
    resolveHost("nobody.invalid"),
    (error) =>
      error instanceof SttError && error.code === "TRANSPORT" &&
      error.message.startsWith("cannot look up nobody.invalid: "),
  );
  const reason = new Error("enough");
  await assert.rejects(resolveHost("localhost", 4, AbortSignal.abort(reason)), reason);
});
