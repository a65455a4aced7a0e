import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../../codec/frame.ts";
import { nodeProvider } from "../../crypto/node_provider.ts";
import { SttError } from "../../errors.ts";
import { captureOf, packetBytes, type Passed } from "./capture_for_test.ts";
import { type CapturedPacket, packetsOf } from "./capture_file.ts";
import { CaptureReader } from "./capture_reader.ts";
import { contentOf, frameNote, frameOf } from "./captured_frame.ts";
import { KeyRing } from "./key_ring.ts";
import { segmentOf } from "./network_layers.ts";
import { TcpOrder } from "./tcp_order.ts";
import { WebSocketBytes } from "./websocket_bytes.ts";

const PASSED: Passed = {
  protocol: "udp",
  atMs: 1234.5,
  fromPort: 1000,
  toPort: 2000,
  payload: Uint8Array.of(1, 2, 3),
  sequence: 7,
  syn: false,
};
const TCP: Passed = { ...PASSED, protocol: "tcp" };

function frame(payload: number): Uint8Array {
  const metadata = Uint8Array.of(0);
  const common = { type: 3, flags: 0, sequence: 0, timestamp: 0, streamId: 1 };
  const sessionId = new Uint8Array(8).fill(9);
  return encodeFrame({ ...common, sessionId, metadata, payload: new Uint8Array(payload) });
}

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

test("packets that carry nothing for us, or are not whole, are passed over", () => {
  const packet = (bytes: Uint8Array, linkType = 1): CapturedPacket => ({
    atMs: 0,
    linkType,
    bytes,
  });
  const [udp, tcp] = [packetBytes(PASSED), packetBytes(TCP)];
  const six = packetBytes(PASSED, "ethernet", true);
  assert.equal(segmentOf(packet(udp))?.from, "127.0.0.1:1000");
  assert.equal(segmentOf(packet(six))?.from, "[::1]:1000");
  const over: [string, CapturedPacket][] = [
    ["an unknown link", packet(udp, 147)],
    ["ARP", packet(changed(udp, 12, 0x08, 0x06))],
    ["ARP, cooked", packet(changed(packetBytes(PASSED, "sll"), 14, 0x08, 0x06), 113)],
    ["ARP, cooked 2", packet(changed(packetBytes(PASSED, "sll2"), 0, 0x08, 0x06), 276)],
    ["neither IPv4 nor IPv6", packet(changed(udp, 14, 0x55))],
    ["a header that is too short", packet(changed(udp, 14, 0x44))],
    ["a fragment", packet(changed(udp, 20, 0x20))],
    ["a later fragment", packet(changed(udp, 21, 0x01))],
    ["IPv4, cut", packet(udp.subarray(0, udp.length - 1))],
    ["ICMP", packet(changed(udp, 23, 1))],
    ["a length of UDP that is too short", packet(changed(udp, 38, 0, 7))],
    ["a length of UDP that is too long", packet(changed(udp, 38, 1, 0))],
    ["a header of TCP that is too short", packet(changed(tcp, 46, 0x40))],
    ["a header of TCP that is too long", packet(changed(tcp, 46, 0xf0))],
    ["IPv6, cut", packet(six.subarray(0, six.length - 1))],
    ["IPv6 with a header that passes the end", packet(changed(six, 55, 200))],
    ["nothing", packet(new Uint8Array(0))],
  ];
  for (const [name, one] of over) assert.equal(segmentOf(one), undefined, name);
});

test("IPv6 with headers without end is passed over", () => {
  const six = packetBytes({ ...PASSED, payload: new Uint8Array(200) }, "ethernet", true);
  // Each header names another one of its kind.
  for (let at = 54; at + 8 < six.length; at += 8) six.set([60, 0], at);
  assert.equal(segmentOf({ atMs: 0, linkType: 1, bytes: six }), undefined);
});

test("broken files say where they break", () => {
  const refused = (bytes: Uint8Array, text: RegExp): void => {
    assert.throws(() => [...packetsOf(bytes)], (error: unknown) => {
      assert.ok(error instanceof SttError && error.code === "UNSUPPORTED");
      assert.match(error.message, text);
      return true;
    });
  };
  const pcap = captureOf([PASSED]);
  refused(pcap.subarray(0, 30), /a record is cut \(offset 24\)/);
  refused(changed(pcap, 32, 255, 255, 255, 255), /cut or too long \(offset 24\)/);
  const next = captureOf([PASSED], { format: "pcapng" });
  refused(changed(next, 8, 0, 0, 0, 0), /no byte order/);
  refused(changed(next, 4, 27), /block of 27 bytes/);
  refused(next.subarray(0, 34), /a block is cut/);
  refused(changed(next, 32, 12, 0, 0, 0), /an interface is cut/);
  // Behind section, interface and unknown block.
  const packet = 28 + 32 + 12;
  refused(changed(next, packet + 8, 1), /names no interface/);
  refused(changed(next, packet + 20, 255, 255), /cut or too long/);
  const empty = changed(next.slice(0, packet + 12), packet + 4, 12);
  refused(empty, /a packet is cut/);
});

test("pcapng: simple packets, times in powers of two and ten", () => {
  const capture = captureOf([PASSED], { format: "pcapng" });
  const packet = 28 + 32 + 12;
  const times = (bytes: Uint8Array): number[] => [...packetsOf(bytes)].map(({ atMs }) => atMs);
  assert.deepEqual(times(capture), [1234]);
  // The option's value: units of 2^-10 s, of 10^-6 s; and no option at all, which means the same.
  assert.deepEqual(times(changed(capture, 48, 0x8a)), [1234 / 1.024]);
  assert.deepEqual(times(changed(capture, 48, 6)), [1.234]);
  assert.deepEqual(times(changed(capture, 44, 0, 0)), [1.234]);
  const whole = packetBytes(PASSED);
  const padded = Math.ceil(whole.length / 4) * 4;
  const simple = new Uint8Array(16 + padded);
  const view = new DataView(simple.buffer);
  [3, simple.length, whole.length].forEach((word, index) => view.setUint32(4 * index, word, true));
  simple.set(whole, 12);
  view.setUint32(simple.length - 4, simple.length, true);
  const file = new Uint8Array(packet + simple.length);
  file.set(capture.subarray(0, packet));
  file.set(simple, packet);
  const [found] = [...packetsOf(file)];
  assert.deepEqual(found?.bytes, whole);
  assert.equal(found?.atMs, 0);
});

test("TCP: too much ahead of its turn breaks the order, and is told once", () => {
  const order = new TcpOrder();
  const taken: number[] = [];
  const take = (bytes: Uint8Array): void => void taken.push(bytes.length);
  order.push(100, true, new Uint8Array(0), take);
  for (let index = 0; index < 4096; index++) {
    order.push(200 + 2 * index, false, new Uint8Array(1), take);
  }
  assert.equal(order.broken, false);
  order.push(9000, false, new Uint8Array(1), take);
  assert.equal(order.broken, true);
  order.push(101, false, new Uint8Array(99), take);
  assert.deepEqual(taken, []);
  const ahead = Array.from({ length: 5000 }, (_, index) => ({
    ...TCP,
    sequence: index === 0 ? 0 : 100 + 2 * index,
    payload: frame(20).subarray(0, index === 0 ? 10 : 1),
  }));
  const { faults } = new CaptureReader(undefined, () => undefined).read(captureOf(ahead));
  assert.deepEqual(faults, ["bytes from 127.0.0.1:1000 to 127.0.0.1:2000 are missing"]);
});

test("TCP that turns out to be something else is left alone", () => {
  const read = (
    ...payloads: Uint8Array[]
  ): { readonly frames: number; readonly faults: string[] } => {
    let sequence = 0;
    const passed = payloads.map((payload) => {
      const one = { ...TCP, sequence, payload };
      sequence += payload.length;
      return one;
    });
    return new CaptureReader(undefined, () => undefined).read(captureOf(passed));
  };
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  assert.deepEqual(read(text("SSH-2.0-x\r\n"), frame(20)).frames, 0);
  const broken = read(frame(20), text("noise"), frame(20));
  assert.equal(broken.frames, 1);
  assert.match(broken.faults[0] ?? "", /^from 127\.0\.0\.1:1000 to 127\.0\.0\.1:2000: /);
  assert.equal(broken.faults.length, 1);
  assert.equal(read(text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), frame(20)).frames, 0);
});

test("UDP: what follows a frame and is none ends the datagram", () => {
  const [one, two] = [frame(20), frame(30).subarray(0, 20)];
  const payload = new Uint8Array(one.length + two.length);
  payload.set(one);
  payload.set(two, one.length);
  const { frames, faults } = new CaptureReader(undefined, () => undefined)
    .read(captureOf([{ ...PASSED, payload }]));
  assert.deepEqual([frames, faults], [1, []]);
});

test("WebSocket: fragments, long and masked frames, controls and text between them", () => {
  const head = new TextEncoder().encode("HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\n\r\n");
  const ws = (first: number, payload: Uint8Array, mask?: number[]): number[] => {
    const { length } = payload;
    const bit = mask === undefined ? 0 : 0x80;
    const size = length < 126
      ? [bit | length]
      : length < 65_536
      ? [bit | 126, length >> 8, length & 255]
      : [bit | 127, 0, 0, 0, 0, 0, length >> 16, length >> 8 & 255, length & 255];
    const body = [...payload].map((byte, index) => byte ^ (mask?.[index % 4] ?? 0));
    return [first, ...size, ...mask ?? [], ...body];
  };
  const large = new Uint8Array(70_000).fill(4);
  const bytes = Uint8Array.from([
    ...head,
    ...ws(0x81, Uint8Array.of(65)),
    ...ws(0x02, Uint8Array.of(1, 2)),
    ...ws(0x89, Uint8Array.of(9)),
    ...ws(0x80, Uint8Array.of(3), [1, 2, 3, 4]),
    ...ws(0x82, new Uint8Array(300).fill(5), [9, 9, 9, 9]),
    ...ws(0x82, large),
  ]);
  for (const step of [1, 7, 1000, bytes.length]) {
    const reader = new WebSocketBytes();
    const out: number[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      reader.push(bytes.subarray(at, at + step), (part) => {
        for (const byte of part) out.push(byte);
      });
    }
    const expected = [1, 2, 3, ...new Array<number>(300).fill(5), ...large];
    assert.deepEqual(out.length, expected.length, `${step}`);
    assert.ok(out.every((byte, index) => byte === expected[index]));
  }
  const broken = (...parts: Uint8Array[]): boolean => {
    const reader = new WebSocketBytes();
    for (const part of parts) reader.push(part, () => assert.fail("nothing comes out"));
    return reader.broken;
  };
  assert.equal(broken(new TextEncoder().encode("HTTP/1.1 404 x\r\n\r\n")), true);
  assert.equal(broken(new Uint8Array(65_536).fill(65)), true, "a head without end");
  const single = Array.from(
    { length: 65_536 },
    (_, index) => Uint8Array.of([13, 10, 13][index % 3]!),
  );
  assert.equal(broken(...single), true, "the same byte by byte");
  assert.equal(broken(head, Uint8Array.of(0xc2, 1, 1)), true, "compressed");
  assert.equal(broken(head, Uint8Array.of(0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0)), true, "too long");
  assert.equal(broken(head, Uint8Array.of(0x82)), false);
});

test("frames without an epoch, and plaintexts of every kind, whole and malformed", () => {
  const odd = frame(20);
  // The metadata is one byte that promises another.
  odd[odd.length - 21] = 0x80;
  assert.equal(frameOf(odd, undefined).epoch, undefined);
  assert.equal(new KeyRing(nodeProvider(), "").open(odd), undefined);
  const words = (type: number, flags: number, bytes: number[]): string =>
    contentOf(type, flags, Uint8Array.from(bytes)).map(({ label, text }) => `${label}: ${text}`)
      .join();
  assert.match(words(1, 0, [7]), /^data: 07/);
  assert.match(words(0x80, 0, [7]), /^payload: 07/);
  assert.match(words(3, 4, [0, 5, 7]), /^stream data: kind 0, offset 5, the end: 07/);
  assert.match(words(3, 0, [0, 0x80]), /^stream: /);
  assert.match(words(2, 0, [0]), /^PADDING: /);
  const shown = (type: number): string =>
    frameNote({
      ...frameOf(frame(20), undefined),
      ...{ type, atMs: 0, transport: "udp", from: "a", to: "b" } as const,
    }).text;
  assert.match(shown(1), /channel 1, /);
  assert.match(shown(2), /seq 0, /);
});

test("a key log of both sides has each key once", () => {
  const line = (name: string, key: string): string =>
    `STT1_${name} 0102030405060708 0 1 ${key.repeat(32)} ${"00".repeat(12)}`;
  const text = [line("I2R", "11"), line("R2I", "22"), line("I2R", "33"), "other"].join("\n");
  assert.equal(new KeyRing(nodeProvider(), text).size, 2);
});
