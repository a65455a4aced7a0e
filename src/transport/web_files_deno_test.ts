import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTo, listening } from "./raw_client_for_test.ts";

test("web files: the native server serves them as well", async () => {
  const body = new TextEncoder().encode("page");
  const webFiles = new Map([["/stt", { type: "text/html", body }]]);
  const place = await listening({ webFiles, native: true });
  const ask = (line: string): Promise<string> =>
    answerTo(place.port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const page = await ask("GET /stt");
  assert.match(page, /^HTTP\/1\.1 200 OK\r\n[^]*content-security-policy[^]*\r\n\r\npage$/i);
  assert.match(
    await ask("HEAD /stt"),
    /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 4\r\n[^]*\r\n\r\n$/i,
  );
  assert.match(await ask("POST /stt"), /^HTTP\/1\.1 405 /);
  assert.match(await ask("GET /"), /^HTTP\/1\.1 404 /);
  await place.close();
});
