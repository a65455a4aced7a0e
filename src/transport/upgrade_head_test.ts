import assert from "node:assert/strict";
import { test } from "node:test";
import { upgradeRequest } from "./raw_client_for_test.ts";
import { UpgradeHead } from "./upgrade_head.ts";

const MOST = 8192;

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What the head says of a text that comes in pieces of this size, and the head. */
function given(text: string, size = text.length, most = MOST): [string, UpgradeHead] {
  const head = new UpgradeHead(most);
  for (let at = 0; at < text.length; at += size) {
    const state = head.push(bytesOf(text.slice(at, at + size)));
    if (state !== "more") return [state, head];
  }
  return ["more", head];
}

test("upgrade head: whole in one piece, in two and in many; what follows it is kept", () => {
  const request = upgradeRequest();
  for (const size of [1, 2, 3, 7, request.length - 2, request.length - 1, request.length]) {
    const [state, head] = given(request, size);
    assert.equal(state, "whole", `pieces of ${size}`);
    assert.equal(head.rest.length, 0);
    assert.equal(head.read()?.headers["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
  }
  const [state, head] = given(`${request}\x82\x00\r\n\r\n`);
  assert.equal(state, "whole");
  assert.equal(textOf(head.rest), "\x82\x00\r\n\r\n");
  assert.equal(given(request.slice(0, -1), 5)[0], "more");
});

test("upgrade head: the limit holds for line and headers, whatever the method and the pieces", () => {
  const request = upgradeRequest({ "X-Long": "a".repeat(500) });
  const post = request.replace("GET", "POST");
  for (const size of [1, 100, 10_000]) {
    assert.equal(given(request, size, request.length)[0], "whole");
    assert.equal(given(`${request}more`, size, request.length)[0], "whole");
    assert.equal(given(request, size, request.length - 1)[0], "large");
    assert.equal(given(post, size, 400)[0], "large");
  }
});

test("upgrade head: what is no text, or ends its lines otherwise, is told from a head", () => {
  for (
    const text of [
      "\x16\x03\x01\x02\x00",
      "GET /stt HTTP/1.1\nHost: a\n\n",
      "GET /stt HTTP/1.1\r\nHost: a\rb\r\n\r\n",
      "GET /stt HTTP/1.1\r\nHost: \0\r\n\r\n",
      "GET /stt HTTP/1.1\r\nHost: \x7f\r\n\r\n",
    ]
  ) {
    assert.equal(given(text)[0], "odd", JSON.stringify(text));
    assert.equal(given(text, 1)[0], "odd", JSON.stringify(text));
  }
});

test("upgrade head: the usual request is read, every other one is left to the HTTP server", () => {
  const read = (request: string): unknown => {
    const [state, head] = given(request);
    assert.equal(state, "whole");
    return head.read();
  };
  const { url, method, headers } = read(upgradeRequest({
    Origin: " http://a.example\t",
    Connection: "keep-alive, upgrade",
    Cookie: "Upgrade: x",
  })) as { url: string; method: string; headers: Record<string, string> };
  assert.deepEqual([url, method], ["/stt", "GET"]);
  assert.deepEqual({ ...headers }, {
    connection: "keep-alive, upgrade",
    host: "127.0.0.1",
    origin: "http://a.example",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    upgrade: "websocket",
  });
  const lines = [
    "POST /stt HTTP/1.1",
    "GET /stt HTTP/1.0",
    "GET http://127.0.0.1/stt HTTP/1.1",
    "GET /a b HTTP/1.1",
    "\r\nGET /stt HTTP/1.1",
  ];
  for (const line of lines) assert.equal(read(upgradeRequest({}, line)), undefined, line);
  const changes: Record<string, string | undefined>[] = [
    { Host: undefined },
    { Upgrade: undefined },
    { Connection: undefined },
    { Connection: "close, upgraded" },
    { "Content-Length": "4" },
    { "Transfer-Encoding": "chunked" },
    { Expect: "100-continue" },
    { host: "twice" },
    { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
    { "No Token": "x" },
    { " Folded": "x" },
    { "": "x" },
    { "X": "a\r\n folded" },
    { "X": "a\r\nno colon" },
  ];
  for (const change of changes) {
    assert.equal(read(upgradeRequest(change)), undefined, JSON.stringify(change));
  }
});

test("upgrade head: an unfinished one keeps its own bytes, not the buffer into which they were read", () => {
  const head = new UpgradeHead(MOST);
  const buffer = new Uint8Array(65_536);
  buffer.set(bytesOf("GET /"));
  assert.equal(head.push(buffer.subarray(0, 5)), "more");
  assert.equal(head.bytes.buffer.byteLength, 5);
});
