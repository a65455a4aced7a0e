/**
 * The dissector in tshark, on captures of real sessions, against what `stt decode` finds in them.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { captureOf, relayTo } from "../../src/cli/capture/capture_for_test.ts";
import { CaptureReader } from "../../src/cli/capture/capture_reader.ts";
import type { CapturedFrame } from "../../src/cli/capture/captured_frame.ts";
import { connect } from "../../src/endpoint/connect.ts";
import { listen } from "../../src/endpoint/listener.ts";

const SCRIPT = fileURLToPath(new URL("./stt.lua", import.meta.url));
const MISSING = (spawnSync("tshark", ["--version"]).stdout ?? "").includes("with Lua")
  ? false
  : "tshark with Lua is not installed";

const SEED = new Uint8Array(32).fill(6);

/** A short session as a relay saw it. */
async function capture(address: string): Promise<Uint8Array> {
  const listener = await listen(address, { seed: SEED });
  const relay = await relayTo(listener.address);
  const peer = await connect(relay.address, { seed: SEED });
  const far = await listener.nextPeer() ?? assert.fail();
  peer.rotateKeys();
  await peer.ping();
  const stream = await peer.openStream();
  // Far more than a segment or a packet.
  await stream.write(new Uint8Array(60_000).fill(1));
  await stream.end();
  const incoming = await far.acceptStream() ?? assert.fail();
  while (await incoming.read() !== null) { /* takes it all */ }
  peer.sendDatagram(new Uint8Array(9), { channel: 77 });
  await far.nextDatagram();
  await peer.close();
  await listener.close();
  await relay.close();
  // 500 bytes of TCP in a segment: frames go over several.
  return captureOf(relay.passed.flatMap((one) => {
    if (one.protocol === "udp" || one.payload.length <= 500) return [one];
    return Array.from({ length: Math.ceil(one.payload.length / 500) }, (_, index) => ({
      ...one,
      sequence: (one.sequence + index * 500) >>> 0,
      payload: one.payload.subarray(index * 500, (index + 1) * 500),
    }));
  }));
}

function tshark(file: string, args: readonly string[]): string {
  const run = spawnSync("tshark", ["-n", "-X", `lua_script:${SCRIPT}`, "-r", file, ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stderr);
  assert.doesNotMatch(run.stderr, /lua|error/i);
  return run.stdout;
}

for (const address of ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", "ws://127.0.0.1:0/"]) {
  const scheme = address.slice(0, address.indexOf(":"));
  test(`${scheme}: tshark sees the frames that stt decode sees`, { skip: MISSING }, async () => {
    const bytes = await capture(address);
    const frames: CapturedFrame[] = [];
    new CaptureReader(undefined, (frame) => frames.push(frame)).read(bytes);
    const folder = mkdtempSync(join(tmpdir(), "stt-wireshark-"));
    try {
      const file = join(folder, "session.pcap");
      writeFileSync(file, bytes);
      const names = ["type", "sequence", "stream", "session", "length"];
      const also = ["handshake.message", "epoch", "malformed", "header_not_zero"];
      const fields = [...names, ...also].flatMap((name) => ["-e", `stt1.${name}`]);
      const rows = tshark(file, ["-Y", "stt1", "-T", "fields", "-E", "aggregator=,", ...fields])
        .replace(/\n$/, "").split("\n").map((line) => line.split("\t"));
      const seen = rows.flatMap((row) => {
        const [types = [], ...others] = row.slice(0, names.length).map((cell) => cell.split(","));
        return types.map((type, index) =>
          [Number(type), ...others.map((cells) => cells[index])].join(" ")
        );
      });
      const expected = frames.map(({ type, sequence, streamId, sessionId, bytes }) => {
        const body = bytes - 2 - (bytes - 3 < 128 ? 1 : bytes - 4 < 16_384 ? 2 : 3);
        return [type, sequence, streamId, sessionId, body].join(" ");
      });
      assert.deepEqual(seen, expected);
      const column = (index: number): string[] =>
        rows.flatMap((row) => (row[names.length + index] ?? "").split(",")).filter((cell) => cell);
      assert.deepEqual(column(0), ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]);
      assert.deepEqual([...new Set(column(1))].sort(), ["0", "1"], "epochs");
      assert.deepEqual([...column(2), ...column(3)], [], "nothing is malformed");
      if (scheme !== "udp") return;
      const verbose = tshark(file, ["-Y", "stt1.handshake.message", "-V"]);
      for (const text of ["type: HELLO", "seed_id: ", "suites: 2 entries", "version: 1"]) {
        assert.ok(verbose.includes(text), text);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
