import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { type Child, withChildren } from "./child_for_test.ts";

/** Silence that ends a session: a stalled reader must not look like it. */
const IDLE_S = 2;
const MEMORY_LIMIT = 300_000_000;
const CHUNK = new Uint8Array(262_144).map((_, index) => index & 0xff);

/** Writes `total` bytes as fast as they are taken; `onTaken` hears how many were. */
async function feed(
  input: Writable,
  total: number,
  onTaken: (bytes: number) => void,
): Promise<void> {
  for (let written = 0; written < total;) {
    const chunk = CHUNK.subarray(0, total - written);
    await new Promise<void>((resolve, reject) => {
      input.write(chunk, (error) => error ? reject(error) : resolve());
    });
    written += chunk.length;
    onTaken(written);
  }
  input.end();
}

function sha256Of(total: number): string {
  const hash = createHash("sha256");
  for (let written = 0; written < total; written += CHUNK.length) {
    hash.update(CHUNK.subarray(0, total - written));
  }
  return hash.digest("hex");
}

async function pair(
  start: (args: readonly string[], options: object) => Child,
): Promise<{ readonly listener: Child; readonly sender: Child }> {
  const seed = toHex(generateSeed());
  const timeout = ["--timeout", String(IDLE_S)];
  const listen = ["listen", "ws://127.0.0.1:0", "--out", "-", "--once", ...timeout];
  const listener = start(listen, { seed, rawStdout: true });
  await listener.errorLine(/listening on (\S+)\n/);
  const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
  const sender = start(["send", "-", address, "--json", ...timeout], { seed, stdin: true });
  await sender.event("connected");
  return { listener, sender };
}

test("a reader that does not read stops the sender, and everything arrives once it does", async () => {
  await withChildren(async (start) => {
    const total = 48_000_000;
    const { listener, sender } = await pair(start);
    const hash = createHash("sha256");
    const output = listener.process.stdout;
    const input = sender.process.stdin;
    assert(output !== null && input !== null);
    let taken = 0;
    const feeding = feed(input, total, (bytes) => {
      taken = bytes;
    });
    // Stalled when nothing was taken for a while; a machine under load only makes the wait longer.
    await new Promise<void>((resolve) => {
      let last = -1;
      const timer = setInterval(() => {
        if (taken > 0 && taken === last) {
          clearInterval(timer);
          resolve();
        }
        last = taken;
      }, 500);
    });
    // The stall lasts longer than any silence may: the session itself must go on meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2 * IDLE_S * 1000));
    assert(taken < 20_000_000, `the sender took ${taken} bytes that nobody reads`);
    output.on("data", (chunk: Uint8Array) => hash.update(chunk));
    await feeding;
    assert.equal((await sender.event("sent"))["bytes"], total);
    assert.equal(await sender.exit(), 0);
    assert.equal(await listener.exit(), 0);
    assert.equal(hash.digest("hex"), sha256Of(total));
  });
});

test("a large stream keeps the memory of both processes bounded", {
  skip: existsSync("/proc/self/status") ? false : "only Linux tells a process's peak memory",
}, async () => {
  await withChildren(async (start) => {
    const total = 268_435_456;
    const { listener, sender } = await pair(start);
    const { stdout } = listener.process;
    const { stdin } = sender.process;
    assert(stdout !== null && stdin !== null);
    let received = 0;
    stdout.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
    });
    const peaks = { listener: 0, sender: 0 };
    await feed(stdin, total, () => {
      peaks.listener = listener.peakMemory() ?? peaks.listener;
      peaks.sender = sender.peakMemory() ?? peaks.sender;
    });
    assert.equal((await sender.event("sent"))["bytes"], total);
    assert.equal(await sender.exit(), 0);
    assert.equal(await listener.exit(), 0);
    assert.equal(received, total);
    for (const [who, peak] of Object.entries(peaks)) {
      assert(peak > 0 && peak < MEMORY_LIMIT, `${who} took ${Math.round(peak / 1e6)} MB`);
    }
  });
});
