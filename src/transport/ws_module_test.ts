import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { listening } from "./raw_client_for_test.ts";
import { endOnlyOnce, loadWs, type WsSocket } from "./ws_module.ts";

test("ws: its two streams end once, and one that is ended is not asked again", async () => {
  const place = await listening();
  const { WebSocket } = await loadWs();
  const socket = new WebSocket(place.listener.address, {
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: 1000,
    closeTimeout: 1000,
    maxFragments: 1,
    maxBufferedChunks: 1,
  });
  await new Promise<void>((resolve) => socket.on("open", () => resolve()));
  const { _receiver, _socket } = socket as unknown as Record<string, Writable>;
  assert.ok(_receiver instanceof Writable && _socket instanceof Writable, "private names of ws");
  endOnlyOnce(socket);
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.close(1000);
  await closed;
  assert.ok(_receiver.writableEnded && _socket.writableEnded);
  await place.close();
});

test("ws: a second end without anything to write does nothing", () => {
  let ends = 0;
  class Counting extends Writable {
    override end(...given: unknown[]): this {
      ends++;
      return super.end(...given as []);
    }
  }
  const stream = new Counting({ write: (_chunk, _encoding, done) => done() });
  stream.on("error", () => undefined);
  endOnlyOnce({ _receiver: stream } as unknown as WsSocket);
  assert.equal(stream.end("a"), stream);
  assert.equal(stream.end(), stream);
  assert.equal(ends, 1);
  stream.end("b");
  assert.equal(ends, 2);
  endOnlyOnce({} as unknown as WsSocket);
});
