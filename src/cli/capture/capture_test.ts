import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { nodeProvider } from "../../crypto/node_provider.ts";
import { connect } from "../../endpoint/connect.ts";
import { withFolder } from "../../endpoint/files/folder_for_test.ts";
import { listen } from "../../endpoint/listener.ts";
import { SttError } from "../../errors.ts";
import { hasFault, renderNote } from "../dissect/note.ts";
import { runCommand } from "../io_for_test.ts";
import {
  type CaptureForm,
  captureOf,
  type Link,
  type Passed,
  relayTo,
} from "./capture_for_test.ts";
import { isCapture, packetsOf } from "./capture_file.ts";
import { CaptureReader, type CaptureSummary } from "./capture_reader.ts";
import { type CapturedFrame, frameNote } from "./captured_frame.ts";
import { KeyRing } from "./key_ring.ts";

const SEED = new Uint8Array(32).fill(5);
const WORDS = "what nobody else should read";

interface Recorded {
  readonly passed: readonly Passed[];
  readonly keys: string;
}

/** A session with a message, a datagram, new keys and a large stream, as a relay saw it. */
async function recorded(address: string): Promise<Recorded> {
  const lines: string[] = [];
  const listener = await listen(address, { seed: SEED });
  const relay = await relayTo(listener.address);
  const peer = await connect(relay.address, { seed: SEED, keyLog: (line) => lines.push(line) });
  const far = await listener.nextPeer() ?? assert.fail();
  await peer.send(new TextEncoder().encode(WORDS));
  assert.ok(await far.nextMessage());
  peer.rotateKeys();
  await peer.ping();
  const stream = await peer.openStream();
  await stream.write(new Uint8Array(50_000).fill(7));
  await stream.end();
  const incoming = await far.acceptStream() ?? assert.fail();
  while (await incoming.read() !== null) { /* takes it all */ }
  await peer.close();
  await listener.close();
  await relay.close();
  return { passed: relay.passed, keys: lines.join("\n") };
}

function read(
  capture: Uint8Array,
  keys?: string,
): { readonly frames: CapturedFrame[]; readonly summary: CaptureSummary } {
  const frames: CapturedFrame[] = [];
  const ring = keys === undefined ? undefined : new KeyRing(nodeProvider(), keys);
  const summary = new CaptureReader(ring, (frame) => frames.push(frame)).read(capture);
  return { frames, summary };
}

const text = (frames: readonly CapturedFrame[]): string =>
  frames.flatMap((frame) => renderNote(frameNote(frame))).join("\n");

for (const address of ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", "ws://127.0.0.1:0/"]) {
  const scheme = address.slice(0, address.indexOf(":"));
  test(`${scheme}: a capture is read whole with its keys, and stays closed without them`, async () => {
    const { passed, keys } = await recorded(address);
    const capture = captureOf(passed);
    const { frames, summary } = read(capture, keys);
    assert.deepEqual(summary.faults, []);
    assert.equal(summary.packets, passed.length);
    const sealed = frames.filter(({ epoch }) => epoch !== undefined);
    assert.ok(sealed.length > 0 && sealed.every(({ opened }) => opened !== undefined));
    assert.equal(summary.opened, summary.frames);
    assert.ok(frames.every((frame) => frame.transport === scheme && !hasFault(frameNote(frame))));
    const lines = text(frames);
    for (
      const word of ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL", "KEY_ROTATION", "SESSION_CLOSE"]
    ) {
      assert.ok(lines.includes(word), word);
    }
    const words = [...new TextEncoder().encode(WORDS)].map((byte) =>
      byte.toString(16).padStart(2, "0")
    );
    assert.ok(lines.includes(words.join("")), "the message");
    // Each direction of a connection is one direction of the session.
    for (const { from, direction } of sealed) {
      assert.equal(direction, sealed.find((other) => other.from === from)?.direction);
    }
    const closed = read(capture);
    assert.deepEqual(closed.frames.map(({ sequence }) => sequence), frames.map((f) => f.sequence));
    assert.ok(
      closed.frames.every(({ epoch, opened }) => (epoch === undefined) === (opened !== undefined)),
    );
    assert.ok(!text(closed.frames).includes(words.join("")));
    // Another session's keys open nothing.
    const wrong = keys.replaceAll(/ [0-9a-f]{64} /g, ` ${"00".repeat(32)} `);
    assert.equal(read(capture, wrong).frames.filter((f) => f.direction !== undefined).length, 0);
  });
}

test("all forms of captures say the same", async () => {
  const { passed, keys } = await recorded("tcp://127.0.0.1:0");
  const facts = ({ frames }: { readonly frames: CapturedFrame[] }): unknown =>
    frames.map(({ sequence, type, bytes, direction }) => [sequence, type, bytes, direction]);
  const expected = facts(read(captureOf(passed), keys));
  const forms: CaptureForm[] = [
    { format: "pcap-nano", littleEndian: false },
    { format: "pcapng" },
    { format: "pcapng", littleEndian: false, v6: true },
    ...(["vlan", "raw", "null", "sll", "sll2"] as Link[]).map((link) => ({ link })),
    { link: "sll2", v6: true },
  ];
  for (const form of forms) {
    const { frames, summary } = read(captureOf(passed, form), keys);
    assert.deepEqual(summary.faults, [], JSON.stringify(form));
    assert.deepEqual(facts({ frames }), expected, JSON.stringify(form));
  }
});

test("segments out of order, repeated and overlapping are put in order; a hole ends the reading", async () => {
  const { passed, keys } = await recorded("tcp://127.0.0.1:0");
  const pieces = passed.flatMap((one) => {
    if (one.payload.length < 3) return [one];
    const cut = Math.floor(one.payload.length / 2);
    const part = (from: number, to: number): Passed => ({
      ...one,
      sequence: (one.sequence + from) >>> 0,
      payload: one.payload.subarray(from, to),
    });
    // The second half first, then the first half with a byte too much, then all of it again.
    return [part(cut, one.payload.length), part(0, cut + 1), one];
  });
  const whole = read(captureOf(passed), keys);
  const cut = read(captureOf(pieces), keys);
  assert.deepEqual(cut.summary.faults, []);
  const bytes = (frames: CapturedFrame[]): string[] =>
    frames.map(({ sequence, direction }) => `${sequence} ${direction}`).sort();
  assert.deepEqual(bytes(cut.frames), bytes(whole.frames));
  const hole = passed.filter((one, index) => one.syn || index !== 4);
  assert.ok(read(captureOf(hole), keys).summary.frames < whole.summary.frames);
});

test("what is no capture, or a broken one, is said; what stands before the fault is shown", async () => {
  const { passed } = await recorded("udp://127.0.0.1:0");
  const refused = (bytes: Uint8Array): string => {
    try {
      for (const _ of packetsOf(bytes)) { /* reads on */ }
    } catch (error) {
      assert.ok(error instanceof SttError && error.code === "UNSUPPORTED");
      return error.message;
    }
    assert.fail("nothing was refused");
  };
  assert.equal(isCapture(new Uint8Array(3)), false);
  assert.match(refused(new Uint8Array(40)), /neither pcap nor pcapng/);
  for (const format of ["pcap", "pcapng"] as const) {
    const capture = captureOf(passed, { format });
    const cut = capture.subarray(0, capture.length - 5);
    assert.match(refused(cut), /cut/);
    const { frames, summary } = read(cut);
    assert.equal(summary.packets, passed.length - 1);
    assert.equal(summary.faults.length, 1);
    assert.ok(frames.length > 0);
  }
  assert.match(refused(captureOf(passed).subarray(0, 20)), /header is cut/);
});

test("stt decode reads captures, with and without keys, for people and as JSON", async () => {
  const { passed, keys } = await recorded("udp://127.0.0.1:0");
  await withFolder(async (folder) => {
    const [capture, keyFile] = [join(folder, "session.pcap"), join(folder, "keys.txt")];
    await writeFile(capture, captureOf(passed));
    await writeFile(keyFile, `# keys\n${keys}\n`);
    const plain = await runCommand(["decode", capture, "--keylog", keyFile]);
    assert.equal(plain.exit, 0);
    assert.match(plain.stdout, /^0\.000000 udp 127\.0\.0\.1:\d+ > 127\.0\.0\.1:\d+ HANDSHAKE/);
    assert.match(plain.stdout, /\n {2}KEY_ROTATION\n {4}epoch: 1\n/);
    assert.match(plain.stderr, /packets, \d+ frames, \d+ of them readable with 4 keys/);
    const sealed = await runCommand(["decode", capture]);
    assert.match(sealed.stdout, /, sealed\n/);
    const json = await runCommand(["decode", capture, "--keylog", keyFile, "--json"]);
    const lines = json.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.at(-1).event, "capture");
    assert.ok(lines.slice(0, -1).every(({ event }) => event === "frame"));
    await writeFile(capture, captureOf(passed).subarray(0, -1));
    assert.notEqual((await runCommand(["decode", capture])).exit, 0);
    const wrong = await runCommand(["decode", "5354", "--keylog", keyFile]);
    assert.match(wrong.stderr, /--keylog opens captures/);
  });
});
