/** How WebSocket connections end, byte for byte: close codes, half requests, half answers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import {
  clientFrame,
  listening,
  RawClient,
  upgraded,
  upgradeRequest,
} from "./raw_client_for_test.ts";
import { pattern } from "./sink_for_test.ts";
import { webSocketTransport } from "./websocket.ts";

/** The code in the close frame that a server sent, or undefined when it sent none. */
function closeCode({ received }: RawClient): number | undefined {
  const frames = received.slice(received.indexOf("\r\n\r\n") + 4);
  const at = frames.indexOf("\x88");
  if (at === -1 || frames.charCodeAt(at + 1) < 2) return undefined;
  return frames.charCodeAt(at + 2) << 8 | frames.charCodeAt(at + 3);
}

test("each breach of WebSocket has its close code, and invalid codes are not echoed", async () => {
  const place = await listening({ maxMessageBytes: 65_536 });
  const cases: [string, Uint8Array, number | undefined][] = [
    ["unmasked", Uint8Array.of(0x82, 1, 65), 1002],
    ["reserved bit", clientFrame(0xc2, Uint8Array.of(65)), 1002],
    ["unknown opcode", clientFrame(0x83, Uint8Array.of(65)), 1002],
    ["long ping", clientFrame(0x89, pattern(200, 1)), 1002],
    ["fragmented ping", clientFrame(0x09, Uint8Array.of(1)), 1002],
    ["close code 999", clientFrame(0x88, Uint8Array.of(0x03, 0xe7)), 1002],
    ["close code 1005", clientFrame(0x88, Uint8Array.of(0x03, 0xed)), 1002],
    ["one byte of a close code", clientFrame(0x88, Uint8Array.of(3)), 1002],
    ["bad UTF-8 in text", clientFrame(0x81, Uint8Array.of(0xff)), 1007],
    ["oversize", clientFrame(0x82, pattern(10, 1), 70_000), 1009],
    ["an orderly close", clientFrame(0x88, Uint8Array.of(0x03, 0xe8)), 1000],
  ];
  for (const [what, frame, expected] of cases) {
    const client = await upgraded(place.port);
    client.socket.write(frame);
    const sink = await place.accepted();
    await sink.ended;
    await client.closed;
    assert.equal(closeCode(client), expected, what);
    assert.equal(sink.bytes, 0, what);
  }
  await place.close();
});

test("a request that ends in the middle of its headers is over, and others are served", async () => {
  const place = await listening();
  for (const length of [1, 20, 60]) {
    const client = RawClient.to(place.port);
    client.socket.end(upgradeRequest().slice(0, length));
    await client.closed;
    assert.doesNotMatch(client.received, / 101 /);
  }
  const good = await upgraded(place.port);
  good.socket.destroy();
  assert.equal(place.connections.length, 1);
  await place.close();
});

/** Dials a server that answers an upgrade with these lines, the key's answer in place of KEY. */
async function dialling(lines: readonly string[]): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (request) => {
      const key = /^sec-websocket-key: *(\S+)/im.exec(request.toString("latin1"))?.[1] ?? "";
      const answer = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64");
      socket.end(lines.join("\r\n").replace("KEY", answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    const connection = await webSocketTransport.dial(`ws://127.0.0.1:${port}/`, {
      timeoutMs: 5000,
    });
    connection.abort();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test("an answer without Upgrade or Connection, or one that ends too early, opens nothing", async () => {
  const status = "HTTP/1.1 101 Switching Protocols";
  const upgrade = "Upgrade: websocket";
  const connection = "Connection: Upgrade";
  const accept = "Sec-WebSocket-Accept: KEY";
  for (
    const lines of [
      [status, connection, accept, "", ""],
      [status, upgrade, accept, "", ""],
      [status, upgrade, connection, "", ""],
      [status, "Upgrade: h2c", connection, accept, "", ""],
      [status, upgrade, connection],
      [status],
      [],
    ]
  ) {
    const error = await dialling(lines);
    assert.ok(error instanceof SttError, lines.join(" | "));
    assert.equal(error.code, "TRANSPORT");
  }
});
