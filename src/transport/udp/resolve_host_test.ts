import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { inTurns, type ResolvedHost, resolveHost, resolveHosts } from "./resolve_host.ts";

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

test("all addresses of a name; an IP address is its own only one", async () => {
  assert.deepEqual(await resolveHosts("192.0.2.7"), [{ host: "192.0.2.7", family: 4 }]);
  const found = await resolveHosts("localhost");
  assert.ok(found.some(({ host }) => host === "127.0.0.1" || host === "::1"));
  await assert.rejects(resolveHosts("nobody.invalid"), { code: "TRANSPORT" });
  const reason = new Error("enough");
  await assert.rejects(resolveHosts("localhost", AbortSignal.abort(reason)), reason);
});

test("families take turns, the first one first, sixteen addresses at most", () => {
  const four = (last: number): ResolvedHost => ({ host: `192.0.2.${last}`, family: 4 });
  const six = (last: number): ResolvedHost => ({ host: `2001:db8::${last}`, family: 6 });
  assert.deepEqual(inTurns([six(1), six(2), six(3), four(1)]), [six(1), four(1), six(2), six(3)]);
  assert.deepEqual(inTurns([four(1), six(1), six(2)]), [four(1), six(1), six(2)]);
  assert.equal(inTurns(Array.from({ length: 40 }, (_, index) => four(index))).length, 16);
  assert.deepEqual(inTurns([]), []);
});
