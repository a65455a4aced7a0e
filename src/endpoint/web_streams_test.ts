import { test } from "node:test";
import assert from "node:assert/strict";
import {
  bytes,
  joined,
  MEMORY,
  pattern,
  readAll,
  TCP,
  text,
  until,
  WS,
} from "./joined_for_test.ts";

const SIZE = 20_000_000;
const CHUNK = 100_000;

for (const net of [MEMORY, TCP, WS]) {
  test(`${net.name}: 20 MB through pipes, with memory bounded`, () =>
    joined({ net }, async ({ client, server }) => {
      let sent = 0;
      let most = 0;
      const source = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(pattern(CHUNK, sent));
          sent += CHUNK;
          if (sent === SIZE) controller.close();
        },
      });
      let got = 0;
      const sink = new WritableStream<Uint8Array>({
        write(chunk) {
          assert.deepEqual(chunk, pattern(chunk.length, got));
          got += chunk.length;
          most = Math.max(most, server.stats().streams.recvBuffered);
        },
      });
      const up = await client.openStream();
      const piped = source.pipeTo(up.writable);
      const incoming = await server.acceptStream() ?? assert.fail();
      await incoming.readable.pipeTo(sink);
      await piped;
      assert.equal(got, SIZE);
      assert.ok(most <= 8_388_608, `${most} bytes buffered`);
      assert.equal(client.stats().streams.sendBuffered, 0);
    }));
}

test("cancelling the readable stops the stream, aborting the writable resets it", () =>
  joined({}, async ({ client, server }) => {
    const up = await client.openStream();
    await up.write(bytes("x"));
    const incoming = await server.acceptStream() ?? assert.fail();
    const reader = incoming.readable.getReader();
    assert.equal(text((await reader.read()).value ?? null), "x");
    await reader.cancel();
    await assert.rejects(up.finished, { code: "STREAM_STOPPED", wire: 0x100 });
    const writer = incoming.writable.getWriter();
    await writer.write(bytes("back"));
    await writer.abort();
    await assert.rejects(readAll(up), { code: "STREAM_RESET", wire: 0x100 });
    await assert.rejects(up.writable.getWriter().write(bytes("y")), { code: "STREAM_STOPPED" });
  }));

test("an error of the session errors both Web Streams", () =>
  joined({}, async ({ client, server }) => {
    const up = await client.openStream();
    await up.write(bytes("x"));
    const incoming = await server.acceptStream() ?? assert.fail();
    const reader = incoming.readable.getReader();
    await reader.read();
    const waiting = reader.read();
    client.abort({ code: 0x300 });
    await assert.rejects(waiting, { code: "APPLICATION", wire: 0x300 });
    await assert.rejects(incoming.writable.getWriter().write(bytes("x")), { wire: 0x300 });
  }));

test("a reader that does not read stops the writer, on the wire and in memory", () =>
  joined({ both: { sendBuffer: 50_000, maxStreamData: 60_000 } }, async ({ client, server }) => {
    const up = await client.openStream();
    let written = 0;
    let stopped = false;
    const writing = (async () => {
      for (let i = 0; i < 100; i++) {
        await up.write(pattern(10_000, written));
        written += 10_000;
      }
      await up.end();
    })();
    void client.ping().then(() => client.ping()).then(() => {
      stopped = true;
    });
    await until(() => stopped);
    assert.ok(written <= 110_000, `${written} bytes were taken`);
    assert.equal(server.stats().streams.recvBuffered, 60_000);
    const { sendBuffered } = client.stats().streams;
    assert.ok(sendBuffered <= 60_000, `${sendBuffered} bytes wait`);
    assert.equal(up.tryWrite(new Uint8Array(0)), false);
    const incoming = await server.acceptStream() ?? assert.fail();
    const all = readAll(incoming);
    await writing;
    assert.equal((await all).length, 1_000_000);
  }));

test("one reader that does not read does not stop the other streams", () =>
  joined({}, async ({ client, server }) => {
    const stuck = await client.openStream();
    void stuck.write(pattern(2_000_000)).catch(() => undefined);
    const free = await client.openStream();
    const writing = free.write(pattern(3_000_000)).then(() => free.end());
    await server.acceptStream();
    const incoming = await server.acceptStream() ?? assert.fail();
    assert.equal(incoming.id, free.id);
    assert.equal((await readAll(incoming)).length, 3_000_000);
    await writing;
    client.abort();
    await assert.rejects(stuck.finished, { code: "CLOSED" });
  }));

test("messages nobody takes stop their sender", () =>
  joined({ both: { sendBuffer: 20_000, maxStreamData: 20_000 } }, async ({ client, server }) => {
    let sent = 0;
    const sending = (async () => {
      for (; sent < 50; sent++) await client.send(pattern(5_000, sent));
    })();
    await client.ping();
    await client.ping();
    assert.ok(sent < 15, `${sent} messages were taken`);
    for (let i = 0; i < 50; i++) {
      assert.deepEqual((await server.nextMessage())?.data, pattern(5_000, i));
    }
    await sending;
  }));

test("a message larger than the windows goes through, one above the limit resets its stream", () =>
  joined({
    both: { maxStreamData: 20_000, maxData: 30_000, maxMessageSize: 500_000 },
  }, async ({ client, server }) => {
    void client.send(pattern(500_000));
    assert.deepEqual((await server.nextMessage())?.data, pattern(500_000));
    const other = await client.openStream({ mode: "messages" });
    await other.write(pattern(500_001));
    await assert.rejects(other.finished, {
      code: "STREAM_STOPPED",
      wire: 0x23,
      message: /: BUFFER_EXCEEDED \(0x23\)$/,
    });
    await client.send(bytes("still alive"));
    assert.equal(text((await server.nextMessage())!.data), "still alive");
  }));

test("leaving a loop over a stream stops it", () =>
  joined({}, async ({ client, server }) => {
    const up = await client.openStream();
    await up.write(bytes("x"));
    const incoming = await server.acceptStream() ?? assert.fail();
    for await (const _ of incoming) break;
    await assert.rejects(up.finished, { code: "STREAM_STOPPED" });
  }));
