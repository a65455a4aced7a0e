/** Captures that `stt decode` reads: anybody can write one. @module */
import { captureOf, type Link, type Passed } from "../../../src/cli/capture/capture_for_test.ts";
import { isCapture } from "../../../src/cli/capture/capture_file.ts";
import { CaptureReader } from "../../../src/cli/capture/capture_reader.ts";
import { frameNote } from "../../../src/cli/capture/captured_frame.ts";
import { KeyRing } from "../../../src/cli/capture/key_ring.ts";
import { renderNote } from "../../../src/cli/dissect/note.ts";
import { nodeProvider } from "../../../src/crypto/node_provider.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

const KEYS = new KeyRing(nodeProvider(), "");
// deno-lint-ignore no-control-regex -- a terminal must not be told anything by them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

function run(input: Uint8Array): string {
  let bytes = 0;
  const summary = new CaptureReader(KEYS, (frame) => {
    bytes += frame.bytes;
    for (const line of renderNote(frameNote(frame))) {
      oracle(!CONTROL.test(line), () => `control characters: ${JSON.stringify(line)}`);
    }
    JSON.stringify(frame);
  }).read(input);
  oracle(bytes <= input.length, () => `${bytes} bytes of frames in ${input.length}`);
  oracle(isCapture(input) || summary.packets === 0, "packets out of no capture");
  oracle(summary.faults.length <= 1 + summary.packets, "more faults than packets");
  const size = (count: number): string => count === 0 ? "no" : count === 1 ? "one" : "several";
  return `${size(summary.packets)} packets, ${size(summary.frames)} frames, ` +
    `${size(summary.faults.length)} faults`;
}

function seeds(): Uint8Array[] {
  const payloads = vectorBytes("handshake_messages", "message.parse", "frame", 400).slice(0, 3);
  const links: Link[] = ["ethernet", "vlan", "raw", "null", "sll", "sll2"];
  const passed = (protocol: Passed["protocol"]): Passed[] => {
    let sequence = 100;
    return payloads.map((payload, index) => {
      const one = { protocol, atMs: index, fromPort: 1000, toPort: 2000, payload, sequence };
      sequence += payload.length;
      return { ...one, syn: false };
    });
  };
  const upgrade = new TextEncoder().encode("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  const first = payloads[0] ?? new Uint8Array(4);
  const message = Uint8Array.of(0x82, 0xfe, first.length >> 8, first.length & 255, 0, 0, 0, 0);
  const payload = Uint8Array.from([...upgrade, ...message, ...first]);
  const tcp = {
    protocol: "tcp",
    atMs: 0,
    fromPort: 1,
    toPort: 2,
    sequence: 0,
    syn: false,
  } as const;
  return [
    ...links.map((link) => captureOf(passed("udp"), { link })),
    captureOf(passed("tcp")),
    captureOf(passed("tcp"), { format: "pcapng", v6: true }),
    captureOf(passed("udp"), { format: "pcapng", littleEndian: false }),
    captureOf([{ ...tcp, payload }]),
  ];
}

export const capture: Target = {
  name: "capture",
  exact: true,
  maxBytes: 4000,
  seeds,
  mutate: (input, other, prng) => mutateWith(input, other, prng),
  run,
};
