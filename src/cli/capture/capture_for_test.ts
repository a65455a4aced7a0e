/**
 * Captures for tests: what a relay between two real ends saw, written as tcpdump would have.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { connect as dial, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { parseAddress } from "../../transport/address.ts";

/** Bytes on their way between two ports of 127.0.0.1. */
export interface Passed {
  readonly protocol: "udp" | "tcp";
  readonly atMs: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly payload: Uint8Array;
  /** TCP alone. */
  readonly sequence: number;
  readonly syn: boolean;
}

/** A relay in front of a listener. */
export interface Relay {
  /** Where to dial instead of the listener. */
  readonly address: string;
  readonly passed: Passed[];
  close(): Promise<void>;
}

/** Passes on what goes to `address` and comes back, and keeps it. */
export function relayTo(address: string): Promise<Relay> {
  return address.startsWith("udp:") ? udpRelay(address) : tcpRelay(address);
}

async function udpRelay(address: string): Promise<Relay> {
  const { port: listener } = parseAddress(address);
  const passed: Passed[] = [];
  const [front, back] = [createSocket("udp4"), createSocket("udp4")];
  let dialler = 0;
  const keep = (fromPort: number, toPort: number, payload: Uint8Array): void => {
    const atMs = performance.now();
    passed.push({ protocol: "udp", atMs, fromPort, toPort, payload, sequence: 0, syn: false });
  };
  front.on("message", (bytes, { port }) => {
    dialler = port;
    keep(port, listener, Uint8Array.from(bytes));
    back.send(bytes, listener, "127.0.0.1");
  });
  back.on("message", (bytes) => {
    keep(listener, dialler, Uint8Array.from(bytes));
    front.send(bytes, dialler, "127.0.0.1");
  });
  for (const socket of [front, back]) {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
  }
  return {
    address: `udp://127.0.0.1:${front.address().port}`,
    passed,
    close: () =>
      Promise.all(
        [front, back].map((socket) =>
          new Promise<void>((resolve) => socket.close(() => resolve()))
        ),
      ).then(() => undefined),
  };
}

async function tcpRelay(address: string): Promise<Relay> {
  const { port: listener } = parseAddress(address);
  const passed: Passed[] = [];
  const open = new Set<Socket>();
  const server = createServer((front) => {
    const back = dial(listener, "127.0.0.1");
    const dialler = front.remotePort ?? 1;
    const join = (from: Socket, to: Socket, fromPort: number, toPort: number): void => {
      // Far up, so that sequences wrap around on the way.
      let sequence = 0xffff_ff00;
      const keep = (payload: Uint8Array, syn: boolean): void => {
        const atMs = performance.now();
        passed.push({ protocol: "tcp", atMs, fromPort, toPort, payload, sequence, syn });
        sequence = (sequence + (syn ? 1 : payload.length)) >>> 0;
      };
      open.add(from);
      keep(new Uint8Array(0), true);
      from.on("data", (bytes) => {
        keep(Uint8Array.from(bytes as Uint8Array), false);
        to.write(bytes);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => open.delete(from));
    };
    join(front, back, dialler, listener);
    join(back, front, listener, dialler);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    address: address.replace(`:${listener}`, `:${port}`),
    passed,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** What stands before the network layer. */
export type Link = "ethernet" | "vlan" | "raw" | "null" | "sll" | "sll2";

const LINK_TYPES: Readonly<Record<Link, number>> = {
  ethernet: 1,
  vlan: 1,
  raw: 101,
  null: 0,
  sll: 113,
  sll2: 276,
};

function linkHeader(link: Link, v6: boolean): number[] {
  const type = v6 ? [0x86, 0xdd] : [0x08, 0x00];
  switch (link) {
    case "ethernet":
      return [...new Array<number>(12).fill(2), ...type];
    case "vlan":
      return [...new Array<number>(12).fill(2), 0x81, 0, 0, 5, ...type];
    case "raw":
      return [];
    case "null":
      return [v6 ? 30 : 2, 0, 0, 0];
    case "sll":
      return [...new Array<number>(14).fill(0), ...type];
    case "sll2":
      return [...type, ...new Array<number>(18).fill(0)];
  }
}

const u16 = (value: number): number[] => [value >> 8 & 255, value & 255];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];

/** One packet with all its headers; checksums are 0. */
export function packetBytes(passed: Passed, link: Link = "ethernet", v6 = false): Uint8Array {
  const { protocol, fromPort, toPort, payload, sequence, syn } = passed;
  const transport = protocol === "udp"
    ? [...u16(fromPort), ...u16(toPort), ...u16(8 + payload.length), 0, 0]
    : [
      ...u16(fromPort),
      ...u16(toPort),
      ...u32(sequence),
      ...u32(0),
      0x50,
      syn ? 0x02 : 0x18,
      ...u16(65_535),
      0,
      0,
      0,
      0,
    ];
  const length = transport.length + payload.length;
  const number = protocol === "udp" ? 17 : 6;
  const loopback = [...new Array<number>(15).fill(0), 1];
  const network = v6
    // A destination options header, empty, stands between.
    ? [
      0x60,
      0,
      0,
      0,
      ...u16(length + 8),
      60,
      64,
      ...loopback,
      ...loopback,
      number,
      0,
      1,
      4,
      0,
      0,
      0,
      0,
    ]
    : [0x45, 0, ...u16(20 + length), 0, 1, 0x40, 0, 64, number, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
  const head = [...linkHeader(link, v6), ...network, ...transport];
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

/** How a capture is written. */
export interface CaptureForm {
  readonly format?: "pcap" | "pcap-nano" | "pcapng";
  readonly littleEndian?: boolean;
  readonly link?: Link;
  readonly v6?: boolean;
}

class Writer {
  readonly #bytes: number[] = [];
  readonly #little: boolean;

  constructor(little: boolean) {
    this.#little = little;
  }

  words(...values: number[]): this {
    for (const value of values) this.#push(u32(value));
    return this;
  }

  halves(...values: number[]): this {
    for (const value of values) this.#push(u16(value));
    return this;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  #push(bytes: number[]): void {
    this.#bytes.push(...(this.#little ? bytes.reverse() : bytes));
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** A capture file of packets. */
export function captureOf(passed: readonly Passed[], form: CaptureForm = {}): Uint8Array {
  const { format = "pcap", littleEndian = true, link = "ethernet", v6 = false } = form;
  const packets = passed.map((one) => ({ atMs: one.atMs, bytes: packetBytes(one, link, v6) }));
  const out = new Writer(littleEndian);
  if (format === "pcapng") {
    // Section, interface with milliseconds as its resolution, an unknown block, packets.
    out.words(0x0a0d0d0a, 28, 0x1a2b3c4d).halves(1, 0).words(0xffffffff, 0xffffffff, 28);
    out.words(1, 32).halves(LINK_TYPES[link], 0).words(0).halves(9, 1).raw([3, 0, 0, 0]);
    out.halves(0, 0).words(32).words(0xbad, 12, 12);
    for (const { atMs, bytes } of packets) {
      const pad = (4 - bytes.length % 4) % 4;
      const length = 32 + bytes.length + pad;
      out.words(6, length, 0, 0, Math.floor(atMs), bytes.length, bytes.length);
      out.raw(bytes).raw(new Uint8Array(pad)).words(length);
    }
    return out.done();
  }
  const nano = format === "pcap-nano";
  out.words(nano ? 0xa1b23c4d : 0xa1b2c3d4).halves(2, 4).words(0, 0, 262_144, LINK_TYPES[link]);
  for (const { atMs, bytes } of packets) {
    const fraction = (atMs % 1000) * (nano ? 1e6 : 1e3);
    out.words(Math.floor(atMs / 1000), Math.floor(fraction), bytes.length, bytes.length).raw(bytes);
  }
  return out.done();
}
