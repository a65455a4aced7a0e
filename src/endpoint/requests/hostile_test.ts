import { test } from "node:test";
import assert from "node:assert/strict";
import { fromHex } from "../../codec/hex.ts";
import type { SttValue } from "../../codec/values.ts";
import { encodeVarint } from "../../codec/varint.ts";
import { type ErrorCode, ERRORS } from "../../errors.ts";
import { bytes, joined, readAll, until } from "../joined_for_test.ts";
import type { Peer } from "../peer.ts";
import { encodeServiceBlock } from "../service_block.ts";
import type { SttStream } from "../stt_stream.ts";
import { PartBuffer } from "./part_buffer.ts";
import { abortOf, deferred, served } from "./served_for_test.ts";
import { decodeFailure, encodeFailure, encodeItem, encodeRequestHeader } from "./wire.ts";

const header = (fields: Record<string, SttValue>): Uint8Array =>
  encodeServiceBlock(new Map(Object.entries(fields)), "request");

/** Writes bytes on a stream of its own, ends it or not, and gives the code of the failure that is answered. */
async function codeOf(peer: Peer, parts: readonly Uint8Array[], end: boolean): Promise<string> {
  const stream = await peer.openStream();
  for (const part of parts) await stream.write(part);
  if (end) stream.end().catch(() => undefined);
  const buffer = new PartBuffer();
  buffer.push(await readAll(stream));
  if (buffer.part(1000) !== "failure") return "answered";
  const block = buffer.block("failure")?.block;
  assert.ok(block !== undefined);
  const { error } = decodeFailure(block);
  const known = (Object.keys(ERRORS) as ErrorCode[]).find((code) => ERRORS[code].wire === error);
  return known ?? `${error}`;
}

test("requests that break rules are told so, one by one, and the session lives", () =>
  served({ endpoints: { maxItem: 100, headerTimeout: 150 } }, async ({ client, endpoints }) => {
    endpoints.register("one", (request) => request.body());
    endpoints.register("all", async (request) => {
      for await (const _ of request);
    });
    const good = encodeRequestHeader({ to: "one" });
    const all = encodeRequestHeader({ to: "all" });
    const item = encodeItem(bytes("x"));
    const cases: [string, readonly Uint8Array[], boolean][] = [
      ["PROTOCOL", [bytes("GET / HTTP/1.1\r\n\r\n")], true],
      ["PROTOCOL", [], true],
      ["PROTOCOL", [good.subarray(0, 10)], true],
      ["DEADLINE", [good.subarray(0, 10)], false],
      ["DEADLINE", [good.subarray(0, 1)], false],
      ["PROTOCOL", [header({ stt: "request" })], false],
      ["PROTOCOL", [header({ stt: "request", to: "x".repeat(256) })], false],
      ["PROTOCOL", [header({ stt: "request", to: "one", deadline: -5 })], false],
      ["PROTOCOL", [header({ stt: "file", name: "a", size: 1, mode: "file" })], false],
      // A dict of 4097 bytes; one that is not canonical; one that nests too deep.
      ["PROTOCOL", [fromHex("8120")], false],
      ["PROTOCOL", [fromHex("0641000000020000")], false],
      ["PROTOCOL", [header({ stt: "request", to: "one", x: [[[[1]]]] })], false],
      ["NO_ENDPOINT", [encodeRequestHeader({ to: "nobody" }), item], false],
      ["NO_ENDPOINT", [encodeRequestHeader({ to: "One" })], true],
      // Items: none, cut, too large, not minimal, and a failure where only replies have one.
      ["PROTOCOL", [good], true],
      ["PROTOCOL", [good, item.subarray(0, 1)], true],
      ["BUFFER_EXCEEDED", [good, encodeVarint(102)], false],
      ["BUFFER_EXCEEDED", [all, item, encodeVarint(2 ** 40)], false],
      ["PROTOCOL", [good, fromHex("8000")], false],
      ["PROTOCOL", [all, fromHex("ff".repeat(9))], false],
      ["PROTOCOL", [good, encodeFailure({ error: 1, reason: "" })], true],
      ["answered", [good, item], true],
    ];
    for (const [code, parts, end] of cases) {
      assert.equal(await codeOf(client, parts, end), code);
    }
    assert.equal(endpoints.stats().running, 0);
    await client.ping();
  }));

test("a deadline of the wire ends the handler although its asker waits on", () =>
  served({}, async ({ client, endpoints }) => {
    const aborted = deferred<unknown>();
    endpoints.register(
      "never",
      async (request) => void aborted.resolve(await abortOf(request.signal)),
    );
    const never = encodeRequestHeader({ to: "never", deadline: 5 });
    assert.equal(await codeOf(client, [never], true), "DEADLINE");
    assert.equal((await aborted.promise as { code: string }).code, "DEADLINE");
    // Longer than timers run: it is no short one.
    endpoints.register("echo", (request) => request.body());
    const long = encodeRequestHeader({ to: "echo", deadline: 2 ** 53 - 1 });
    assert.equal(await codeOf(client, [long, encodeItem(bytes("x"))], true), "answered");
  }));

test("a handler that ignores its signal keeps its place for a while, so that they cannot pile up", () =>
  served({ endpoints: { maxPerPeer: 2 } }, async ({ client, endpoints }) => {
    const gate = deferred();
    let begun = 0;
    endpoints.register("deaf", () => {
      begun++;
      return gate.promise;
    });
    for (let i = 1; i <= 2; i++) {
      const controller = new AbortController();
      const asking = client.endpoint("deaf").request(bytes(""), { signal: controller.signal });
      await until(() => begun === i);
      controller.abort();
      await assert.rejects(asking, { name: "AbortError" });
    }
    await assert.rejects(client.endpoint("deaf").request(bytes("")), { code: "BUSY" });
    gate.resolve();
    await until(() => endpoints.stats().running === 0);
    await client.endpoint("deaf").request(bytes(""));
  }));

test("handlers that ignore their signals lose their places, but for so many at once", () =>
  served(
    { endpoints: { maxPerPeer: 1, abandonAfter: 1, maxAbandoned: 2 } },
    async ({ client, endpoints }) => {
      const gates = [deferred(), deferred(), deferred()];
      let begun = 0;
      endpoints.register("deaf", () => gates[begun++]?.promise);
      const lost: string[] = [];
      endpoints.on("abandoned", ({ endpoint }) => void lost.push(endpoint));
      const ask = (): Promise<unknown> =>
        client.endpoint("deaf").request(bytes(""), { timeout: 5 });
      for (let i = 1; i <= 3; i++) {
        await until(() => endpoints.stats().running === 0);
        await assert.rejects(ask(), { code: "DEADLINE" });
        await until(() => begun === i && lost.length === Math.min(i, 2));
      }
      // No room for the third one: it keeps its place until another ends.
      assert.deepEqual([endpoints.stats().running, endpoints.stats().abandoned], [1, 2]);
      const patient = client.endpoint("deaf");
      await assert.rejects(patient.request(bytes("")), { code: "BUSY" });
      gates[0]?.resolve();
      await until(() => lost.length === 3);
      assert.deepEqual([endpoints.stats().running, endpoints.stats().abandoned], [0, 2]);
      await patient.request(bytes(""));
      gates[1]?.resolve();
      gates[2]?.resolve();
      await until(() => endpoints.stats().abandoned === 0);
      assert.deepEqual(endpoints.stats().failed, { DEADLINE: 3, BUSY: 1 });
    },
  ));

test("streams without a header are bounded by the session's own limit", () =>
  served(
    { both: { maxStreams: 8 }, endpoints: { headerTimeout: 20 } },
    async ({ client, endpoints }) => {
      endpoints.register("echo", (request) => request.body());
      for (let i = 0; i < 8; i++) await (await client.openStream()).write(Uint8Array.of(0x30));
      // It waits for its stream, no longer than its deadline, and gets one when the silent ones are refused.
      const reply = await client.endpoint("echo").request(bytes("x"), { timeout: 60_000 });
      assert.equal(reply.length, 1);
      await until(() => endpoints.stats().failed.DEADLINE === 8);
    },
  ));

test("a request whose header was on its way when serving ended is told to come later", () => {
  const stop = new AbortController();
  return served({ serve: { signal: stop.signal } }, async ({ client, server, endpoints }) => {
    endpoints.register("echo", () => assert.fail("it was asked"));
    const header = encodeRequestHeader({ to: "echo" });
    const stream = await client.openStream();
    await stream.write(header.subarray(0, 10));
    await until(() => server.stats().streams.accepted === 1);
    await client.ping();
    stop.abort();
    await stream.write(header.subarray(10));
    const buffer = new PartBuffer();
    buffer.push(await readAll(stream));
    assert.equal(buffer.part(0), "failure");
    assert.equal(buffer.block("failure")?.block.get("error"), ERRORS.BUSY.wire);
  });
});

/** Answers the next stream of a peer with bytes of the test's own. */
async function answerWith(
  peer: Peer,
  act: (stream: SttStream) => Promise<void> | void,
): Promise<void> {
  const stream = await peer.acceptStream();
  assert.ok(stream !== null);
  await act(stream);
}

test("replies that break rules are the asker's PROTOCOL, and the stream is given up", () =>
  joined({}, async ({ client, server }) => {
    const item = encodeItem(bytes("x"));
    const failure = encodeFailure({ error: 0x14, reason: "no" });
    const cases: [string, Uint8Array, boolean][] = [
      ["PROTOCOL", new Uint8Array(0), true],
      ["PROTOCOL", item.subarray(0, 1), true],
      ["PROTOCOL", fromHex("8000"), false],
      ["PROTOCOL", failure.subarray(0, 5), true],
      ["PROTOCOL", failure.subarray(0, 1), true],
      ["PROTOCOL", Uint8Array.of(0, 1, 0), false],
      ["PROTOCOL", Uint8Array.of(0, ...header({ error: 0, reason: "" })), false],
      ["PROTOCOL", Uint8Array.of(0, ...header({ error: 1, reason: "é".repeat(200) })), false],
      ["BUFFER_EXCEEDED", encodeVarint(2 ** 33), false],
      ["REFUSED", failure, false],
      ["REFUSED", Uint8Array.of(...item, ...failure), false],
    ];
    for (const [code, reply, end] of cases) {
      const answering = answerWith(server, async (stream) => {
        await stream.write(reply);
        if (end) stream.end().catch(() => undefined);
      });
      await assert.rejects(client.endpoint("a").request(bytes("")), { code });
      await answering;
    }
  }));

test("codes of RESET and of unknown numbers are told as what they mean", () =>
  joined({}, async ({ client, server }) => {
    const cases: [number, string, number][] = [
      [ERRORS.BUSY.wire as number, "BUSY", 0x15],
      [0x7777, "APPLICATION", 0x7777],
      [0x6f, "PROTOCOL", 0x6f],
      [0, "STREAM_RESET", 0],
    ];
    for (const [code, name, wire] of cases) {
      const answering = answerWith(server, (stream) => stream.reset(code));
      await assert.rejects(client.endpoint("a").request(bytes("")), {
        code: name as ErrorCode,
        wire,
        remote: true,
      });
      await answering;
    }
    const answering = answerWith(server, async (stream) => {
      await stream.write(encodeFailure({ error: 0x6f, reason: "of the future" }));
    });
    await assert.rejects(client.endpoint("a").request(bytes("")), { code: "PROTOCOL", wire: 0x6f });
    await answering;
  }));
