import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { answerTo, listening, RawClient, upgraded } from "./raw_client_for_test.ts";
import { answerPlainRequest, type WebFile } from "./web_files.ts";

const UTF8 = new TextEncoder();
const PAGE = UTF8.encode("<!doctype html>page");
const SCRIPT = UTF8.encode("export {};\n".repeat(100));
const FILES: ReadonlyMap<string, WebFile> = new Map([
  ["/stt", { type: "text/html; charset=utf-8", body: PAGE }],
  ["/app.js", { type: "text/javascript", body: SCRIPT, gzip: gzipSync(SCRIPT) }],
]);

function answer(line: string, acceptEncoding?: string): ReturnType<typeof answerPlainRequest> {
  const [method, target] = line.split(" ");
  return answerPlainRequest({ method, target, acceptEncoding }, FILES, "/stt");
}

test("web files: those of the list, to GET and HEAD, and nothing else", () => {
  for (const line of ["GET /stt", "GET /stt?", "GET /stt?a=b"]) {
    assert.deepEqual([answer(line).status, answer(line).body], [200, PAGE], line);
  }
  const head = answer("HEAD /stt");
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.equal(head.headers["Content-Length"], String(PAGE.length));
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"]) {
    const refused = answer(`${method} /stt`);
    assert.equal(refused.status, 405, method);
    assert.equal(refused.headers["Allow"], "GET, HEAD");
  }
  const elsewhere = ["/", "/stt/", "/STT", "//stt", "/app.js/", "/../stt", "/%73tt", "/app.js%00"];
  for (const target of [...elsewhere, "http://127.0.0.1/stt", "*"]) {
    assert.equal(answer(`GET ${target}`).status, 404, target);
  }
  assert.equal(
    answerPlainRequest(
      { method: "GET", target: undefined, acceptEncoding: undefined },
      FILES,
      "/stt",
    ).status,
    404,
  );
});

test("web files: every one is sent with the headers that keep a page to itself", () => {
  for (const line of ["GET /stt", "HEAD /app.js", "GET /app.js"]) {
    const { headers } = answer(line);
    const policy = headers["Content-Security-Policy"] ?? "";
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(headers["X-Content-Type-Options"], "nosniff");
    assert.equal(headers["Referrer-Policy"], "no-referrer");
  }
});

test("web files: gzip goes to those who take it", () => {
  for (const accepted of ["gzip", "deflate, gzip;q=0.5, br", "GZIP"]) {
    const { headers, body } = answer("GET /app.js", accepted);
    assert.equal(headers["Content-Encoding"], "gzip", accepted);
    assert.equal(headers["Content-Length"], String(body.length));
    assert.deepEqual(new Uint8Array(gunzipSync(body)), SCRIPT);
  }
  for (const accepted of [undefined, "", "br", "gzip;q=0", "gzip; q=0.00", "xgzip"]) {
    const { headers, body } = answer("GET /app.js", accepted);
    assert.equal(headers["Content-Encoding"], undefined, accepted);
    assert.deepEqual(body, SCRIPT);
  }
  assert.equal(answer("GET /stt", "gzip").headers["Content-Encoding"], undefined);
});

test("web files: a listener serves them beside its WebSocket, one to a connection", async () => {
  const place = await listening({ webFiles: FILES });
  const page = await answerTo(place.port, "GET /stt HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2));
  assert.match(page, /^HTTP\/1\.1 200 OK\r\n[^]*<!doctype html>page$/);
  assert.equal(page.split("HTTP/1.1 200").length, 2);
  const head = await answerTo(place.port, "HEAD /app.js HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 1100\r\n[^]*\r\n\r\n$/i);
  const elsewhere = await answerTo(place.port, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(elsewhere, /^HTTP\/1\.1 404 /);
  const client = await upgraded(place.port);
  assert.equal(place.connections.length, 1);
  client.socket.destroy();
  await place.close();
});

test("web files: who does not read them is cut at the limit of an upgrade", async () => {
  const body = new Uint8Array(64 * 1024 * 1024);
  const webFiles = new Map([["/large", { type: "text/plain", body }]]);
  const place = await listening({ webFiles, upgradeTimeoutMs: 200 });
  const client = RawClient.to(place.port);
  client.socket.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  await client.until("\r\n\r\n");
  client.socket.pause();
  // The file is larger than any socket's buffer, and the time of a later connection runs out after that of this one.
  await RawClient.to(place.port).closed;
  client.socket.resume();
  await client.closed;
  assert(client.received.length < body.length, `${client.received.length} bytes`);
  await place.close();
});
