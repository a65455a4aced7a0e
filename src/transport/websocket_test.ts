import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import {
  answerTo,
  clientFrame,
  listening,
  RawClient,
  upgraded,
  upgradeRequest,
} from "./raw_client_for_test.ts";
import { CollectingSink, pattern } from "./sink_for_test.ts";
import type { ListenTransportOptions } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";
import { loadWs } from "./ws_module.ts";

test("requests that are not an upgrade to this listener get an HTTP answer and are closed", async () => {
  const place = await listening();
  const cases: [string, string, RegExp][] = [
    [
      "plain GET",
      "GET /stt HTTP/1.1\r\nHost: x\r\n\r\n",
      /^HTTP\/1\.1 426 [^]*Upgrade: websocket/i,
    ],
    ["plain GET elsewhere", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 404 /],
    [
      "POST",
      "POST /stt HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
      /^HTTP\/1\.1 426 /,
    ],
    ["wrong path", upgradeRequest({}, "GET /other HTTP/1.1"), /^HTTP\/1\.1 404 /],
    ["longer path", upgradeRequest({}, "GET /stt/ HTTP/1.1"), /^HTTP\/1\.1 404 /],
    ["wrong method", upgradeRequest({}, "PUT /stt HTTP/1.1"), /^HTTP\/1\.1 400 /],
    ["wrong upgrade", upgradeRequest({ Upgrade: "h2c" }), /^HTTP\/1\.1 400 /],
    [
      "wrong version",
      upgradeRequest({ "Sec-WebSocket-Version": "8" }),
      /^HTTP\/1\.1 400 [^]*Sec-WebSocket-Version: 13/,
    ],
    ["no version", upgradeRequest({ "Sec-WebSocket-Version": undefined }), /^HTTP\/1\.1 400 /],
    ["no key", upgradeRequest({ "Sec-WebSocket-Key": undefined }), /^HTTP\/1\.1 400 /],
    ["short key", upgradeRequest({ "Sec-WebSocket-Key": "abcd" }), /^HTTP\/1\.1 400 /],
    ["foreign origin", upgradeRequest({ Origin: "https://evil.example" }), /^HTTP\/1\.1 403 /],
    ["opaque origin", upgradeRequest({ Origin: "null" }), /^HTTP\/1\.1 403 /],
    ["not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", /^(HTTP\/1\.1 400 |$)/],
    ["two requests", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2), /^HTTP\/1\.1 404 (?![^]*HTTP)/],
  ];
  for (const [what, request, expected] of cases) {
    const answer = await answerTo(place.port, request);
    assert.match(answer, expected, `${what}: ${answer}`);
  }
  assert.equal(place.connections.length, 0);
  await place.close();
});

test("header lines beyond the limit end the request", async () => {
  const place = await listening();
  for (const line of ["GET /stt HTTP/1.1", "POST / HTTP/1.1"]) {
    const answer = await answerTo(
      place.port,
      upgradeRequest({ "X-Long": "a".repeat(20_000) }, line),
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
  }
  assert.equal(place.connections.length, 0);
  await place.close();
});

test("an upgrade that is asked for in an unusual way is taken as well", async () => {
  const place = await listening();
  const requests = [
    upgradeRequest({ Connection: "keep-alive", connection: "Upgrade" }),
    `\r\n${upgradeRequest()}`,
    upgradeRequest({ "Content-Length": "0" }),
  ];
  for (const request of requests) {
    const client = RawClient.to(place.port);
    client.socket.write(`${request}\x82\x81\0\0\0\0a`, "latin1");
    await client.until(" 101 ");
    const sink = await place.accepted();
    await sink.received(1);
    client.socket.destroy();
  }
  await place.close();
});

test("a query does not matter for the path, and no subprotocol or extension is chosen", async () => {
  const place = await listening();
  const client = RawClient.to(place.port);
  client.socket.write(upgradeRequest({
    "Sec-WebSocket-Protocol": "chat",
    "Sec-WebSocket-Extensions": "permessage-deflate",
  }, "GET /stt?token=1 HTTP/1.1"));
  await client.until("\r\n\r\n");
  assert.match(client.received, /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(client.received, /Sec-WebSocket-(Protocol|Extensions)/i);
  client.socket.destroy();
  await place.close();
});

test("origins: the same host, a list, a check", async () => {
  const status = async (
    origins: ListenTransportOptions["origins"],
    headers: Record<string, string>,
  ): Promise<string> => {
    const place = await listening(origins === undefined ? {} : { origins });
    const client = RawClient.to(place.port);
    client.socket.write(upgradeRequest(headers));
    await client.until("\r\n\r\n");
    client.socket.destroy();
    await place.close();
    return client.received.slice(9, 12);
  };
  const host = { Host: "a.example:8080" };
  assert.equal(await status(undefined, { ...host, Origin: "http://a.example:8080" }), "101");
  assert.equal(await status(undefined, { ...host, Origin: "http://a.example" }), "403");
  assert.equal(await status(["https://b.example"], { Origin: "https://b.example" }), "101");
  assert.equal(await status(["https://b.example"], { Origin: "https://b.example.evil" }), "403");
  assert.equal(await status([], { ...host, Origin: "http://a.example:8080" }), "403");
  assert.equal(await status((o) => o.endsWith(".ok"), { Origin: "https://x.ok" }), "101");
  assert.equal(await status([], {}), "101");
});

test("an upgrade that dawdles is cut at the limit, byte by byte or silent", async () => {
  const place = await listening({ upgradeTimeoutMs: 150 });
  const silent = RawClient.to(place.port);
  const slow = RawClient.to(place.port);
  const request = upgradeRequest();
  let sent = 0;
  const drip = setInterval(() => slow.socket.write(request[sent++ % request.length]!), 10);
  const halfBody = RawClient.to(place.port);
  halfBody.socket.write(request.slice(0, -2));
  await Promise.all([silent.closed, slow.closed, halfBody.closed]);
  clearInterval(drip);
  assert.doesNotMatch(slow.received, / 101 /);
  assert.equal(place.connections.length, 0);
  // The limit is for the upgrade alone: a connection that upgraded in time outlives it.
  const good = await upgraded(place.port);
  await answerTo(place.port, "");
  good.socket.write(clientFrame(0x82, pattern(10, 1)));
  const sink = await place.accepted();
  await sink.received(10);
  good.socket.destroy();
  await place.close();
});

test("closing the listener cuts half-open upgrades", async () => {
  const place = await listening();
  const client = RawClient.to(place.port);
  client.socket.write("GET /stt HTTP/1.1\r\nHost: x\r\n");
  const established = await upgraded(place.port);
  await place.listener.close();
  await client.closed;
  established.socket.write(clientFrame(0x82, pattern(10, 1)));
  const sink = await place.accepted();
  await sink.received(10);
  established.socket.destroy();
  await place.close();
});

test("bytes that follow the upgrade request at once are the first message", async () => {
  const place = await listening();
  const client = RawClient.to(place.port);
  client.socket.write(upgradeRequest(), "latin1");
  client.socket.write(clientFrame(0x82, Uint8Array.of(1, 2, 3)));
  await client.until("101");
  const sink = await place.accepted();
  await sink.received(3);
  assert.deepEqual(sink.chunks, [Uint8Array.of(1, 2, 3)]);
  client.socket.destroy();
  await place.close();
});

test("what breaks WebSocket or this protocol ends the connection with an error", async () => {
  const cases: [string, Uint8Array, string, RegExp][] = [
    ["text", clientFrame(0x81, Uint8Array.of(65)), "PROTOCOL", /text message/],
    ["unmasked", Uint8Array.of(0x82, 1, 65), "PROTOCOL", /not valid WebSocket/],
    ["compressed", clientFrame(0xc2, Uint8Array.of(65)), "PROTOCOL", /not valid WebSocket/],
    ["unknown opcode", clientFrame(0x83, Uint8Array.of(65)), "PROTOCOL", /not valid WebSocket/],
    ["lost continuation", clientFrame(0x80, Uint8Array.of(65)), "PROTOCOL", /not valid WebSocket/],
    ["long ping", clientFrame(0x89, pattern(200, 1)), "PROTOCOL", /not valid WebSocket/],
    [
      "oversize",
      clientFrame(0x82, pattern(10, 1), 70_000),
      "FRAME_ENCODING",
      /limit of 65536 bytes/,
    ],
    [
      "oversize in parts",
      Uint8Array.from([
        ...clientFrame(0x02, pattern(40_000, 1)),
        ...clientFrame(0x80, pattern(10, 1), 40_000),
      ]),
      "FRAME_ENCODING",
      /limit of 65536 bytes/,
    ],
  ];
  const place = await listening({ maxMessageBytes: 65_536 });
  for (const [what, bytes, code, message] of cases) {
    const client = await upgraded(place.port);
    client.socket.write(bytes);
    const sink = await place.accepted();
    await sink.ended;
    assert.equal(sink.error?.code, code, what);
    assert.match(sink.error.message, message, what);
    assert.equal(sink.bytes, 0);
    // The server closes although the client never answers its close frame.
    await client.closed;
    assert.equal(sink.ends, 1);
  }
  await place.close();
});

test("a message in fragments arrives whole; pings are answered", async () => {
  const place = await listening();
  const client = await upgraded(place.port);
  client.socket.write(clientFrame(0x02, Uint8Array.of(1)));
  client.socket.write(clientFrame(0x89, Uint8Array.of(0x70, 0x71)));
  client.socket.write(clientFrame(0x80, Uint8Array.of(2)));
  const sink = await place.accepted();
  await sink.received(2);
  assert.deepEqual(sink.chunks, [Uint8Array.of(1, 2)]);
  await client.until("\x8a\x02pq");
  client.socket.destroy();
  await place.close();
});

test("a message in more fragments than the option allows ends its connection", async () => {
  const place = await listening({ maxFragments: 3 });
  for (const [fragments, arrives] of [[3, true], [4, false]] as const) {
    const client = await upgraded(place.port);
    client.socket.write(clientFrame(0x02, Uint8Array.of(0)));
    for (let index = 1; index < fragments; index++) {
      client.socket.write(clientFrame(index + 1 < fragments ? 0x00 : 0x80, Uint8Array.of(index)));
    }
    const sink = await place.accepted();
    if (arrives) {
      await sink.received(fragments);
      assert.deepEqual(sink.chunks, [Uint8Array.of(0, 1, 2)]);
      client.socket.destroy();
    } else {
      await sink.ended;
      assert.equal(sink.error?.code, "PROTOCOL");
    }
  }
  await place.close();
});

test("a peer that vanishes ends the connection with an error", async () => {
  const place = await listening();
  const client = await upgraded(place.port);
  client.socket.write(clientFrame(0x82, Uint8Array.of(1)));
  const sink = await place.accepted();
  await sink.received(1);
  client.socket.destroy();
  await sink.ended;
  assert.equal(sink.error?.code, "TRANSPORT");
  await place.connections[0]!.close();
  await place.close();
});

test("close does not wait for ever for a peer that never answers", async () => {
  const place = await listening();
  const client = await upgraded(place.port);
  client.socket.write(clientFrame(0x82, Uint8Array.of(1)));
  await place.connections[0]!.close();
  const sink = await place.accepted();
  assert.deepEqual([sink.ends, sink.error], [1, undefined]);
  await client.closed;
  await place.close();
});

/** A TCP server that answers a request with `answer` and then says nothing more. */
async function fakeServer(answer: string): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => {
      if (answer !== "") socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { server, address: `ws://127.0.0.1:${port}/` };
}

test("dialling a server that does not speak WebSocket says what it said", async () => {
  const cases: [string, RegExp][] = [
    ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", /answered 404 Not Found instead/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", /answered 200 OK instead/],
    ["HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\n\r\n", /answered 301 Moved instead/],
    ["SSH-2.0-OpenSSH\r\n", /cannot connect to ws:/],
    [
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AA==\r\n\r\n",
      /Sec-WebSocket-Accept/,
    ],
  ];
  for (const [answer, expected] of cases) {
    const { server, address } = await fakeServer(answer);
    await assert.rejects(webSocketTransport.dial(address), (error) => {
      assert.ok(error instanceof SttError);
      assert.equal(error.code, "TRANSPORT");
      assert.match(error.message, expected);
      assert.ok(error.message.startsWith(`cannot connect to ${address}: `));
      return true;
    });
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a silent server is given up at timeoutMs, and at once when the signal says so", async () => {
  const { server, address } = await fakeServer("");
  await assert.rejects(
    webSocketTransport.dial(address, { timeoutMs: 50 }),
    (error) => error instanceof SttError && /no connection within 50 ms/.test(error.message),
  );
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  server.once("connection", () => controller.abort(reason));
  await assert.rejects(webSocketTransport.dial(address, { signal: controller.signal }), reason);
  await new Promise((resolve) => server.close(resolve));
});

test("the server takes headers of the client, and no redirect or query leaks into messages", async () => {
  const place = await listening({ origins: ["https://app.example"] });
  const address = place.listener.address;
  const connection = await webSocketTransport.dial(`${address}?token=secret`, {
    headers: { Origin: "https://app.example" },
  });
  assert.equal(connection.remoteAddress, address);
  connection.start(new CollectingSink());
  await connection.close();
  await place.close();
  await assert.rejects(
    webSocketTransport.dial(`${address}?token=secret`),
    (error: Error) => !error.message.includes("secret"),
  );
});

test("ws is loaded once", async () => {
  assert.equal(await loadWs(), await loadWs());
});

// Deno has a native WebSocket server, so there is nothing to refuse there.
if (!("Deno" in globalThis)) {
  test("option native needs Deno", async () => {
    await assert.rejects(
      webSocketTransport.listen("ws://127.0.0.1:0/", () => {}, { native: true }),
      (error) => error instanceof SttError && error.code === "UNSUPPORTED",
    );
  });
}
