import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { CollectingSink, pattern } from "./sink_for_test.ts";
import type { DialOptions } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What a dialler sends behind its upgrade: one binary message of 1000 bytes. */
async function sentBy(options: DialOptions): Promise<Uint8Array> {
  let request = "";
  const received: number[] = [];
  const sockets: Socket[] = [];
  let done: () => void = () => undefined;
  const whole = new Promise<void>((resolve) => done = resolve);
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (request.includes("\r\n\r\n")) {
        received.push(...data);
        if (received.length >= 1008) done();
        return;
      }
      request += data.toString("latin1");
      const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1];
      if (key === undefined || !request.endsWith("\r\n\r\n")) return;
      const accept = createHash("sha1").update(key + GUID).digest("base64");
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const connection = await webSocketTransport.dial(`ws://127.0.0.1:${port}/`, options);
  connection.start(new CollectingSink());
  connection.send(pattern(1000, 1));
  await whole;
  connection.abort();
  for (const socket of sockets) socket.destroy();
  server.close();
  return Uint8Array.from(received);
}

test("what is ciphertext already is masked with zeros", async () => {
  const frame = await sentBy({});
  assert.deepEqual([...frame.subarray(0, 8)], [
    0x82,
    0x80 | 126,
    1000 >> 8,
    1000 & 255,
    0,
    0,
    0,
    0,
  ]);
  assert.deepEqual(frame.subarray(8), pattern(1000, 1));
});

test("with randomMasks the key is another one each time, and the message is masked with it", async () => {
  const keys = new Set<string>();
  for (let count = 0; count < 2; count++) {
    const frame = await sentBy({ randomMasks: true });
    const key = frame.subarray(4, 8);
    keys.add(key.join());
    assert.deepEqual(frame.subarray(8).map((byte, i) => byte ^ key[i % 4]!), pattern(1000, 1));
  }
  assert.equal(keys.size, 2);
});
