/**
 * Files of captured packets, in the two forms that tcpdump, dumpcap and Wireshark write: pcap and pcapng.
 *
 * @module
 */
import { SttError } from "../../errors.ts";

/** One captured packet. */
export interface CapturedPacket {
  /** Milliseconds since 1970, as the capture says. */
  readonly atMs: number;
  /** What the bytes begin with: a number of the registry of link types. */
  readonly linkType: number;
  /** A view of the file. */
  readonly bytes: Uint8Array;
}

/** Longest packet that capture programs write. */
const MAX_PACKET_BYTES = 262_144;
const MAX_INTERFACES = 1024;

const PCAP_MICRO = 0xa1b2c3d4;
const PCAP_NANO = 0xa1b23c4d;
const PCAP_HEADER_BYTES = 24;
const PCAP_RECORD_BYTES = 16;

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_TIME_RESOLUTION = 9;
const MIN_BLOCK_BYTES = 12;

/** Whether bytes begin as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const view = viewOf(bytes);
  const [big, little] = [view.getUint32(0), view.getUint32(0, true)];
  return big === SECTION_HEADER || [big, little].some((word) => isPcapMagic(word));
}

function isPcapMagic(word: number): boolean {
  return word === PCAP_MICRO || word === PCAP_NANO;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(what: string, offset: number): SttError {
  return new SttError("UNSUPPORTED", `cannot read capture: ${what} (offset ${offset})`);
}

/**
 * The packets of a capture, in the order of the file. Work and memory are bounded by its length.
 *
 * @throws {SttError} `UNSUPPORTED` at the place where the file is none, is cut or breaks its own rules.
 */
export function* packetsOf(bytes: Uint8Array): Generator<CapturedPacket, void, void> {
  if (!isCapture(bytes)) throw malformed("it is neither pcap nor pcapng", 0);
  if (viewOf(bytes).getUint32(0) === SECTION_HEADER) yield* pcapngPackets(bytes);
  else yield* pcapPackets(bytes);
}

function* pcapPackets(bytes: Uint8Array): Generator<CapturedPacket, void, void> {
  const view = viewOf(bytes);
  const little = isPcapMagic(view.getUint32(0, true));
  if (bytes.length < PCAP_HEADER_BYTES) throw malformed("its header is cut", bytes.length);
  const nano = view.getUint32(0, little) === PCAP_NANO;
  // The upper bits say how long a frame check sequence is.
  const linkType = view.getUint32(20, little) & 0xffff;
  for (let offset = PCAP_HEADER_BYTES; offset < bytes.length;) {
    const start = offset + PCAP_RECORD_BYTES;
    if (start > bytes.length) throw malformed("a record is cut", offset);
    const length = view.getUint32(offset + 8, little);
    if (length > MAX_PACKET_BYTES || length > bytes.length - start) {
      throw malformed(`a packet of ${length} bytes is cut or too long`, offset);
    }
    const fraction = view.getUint32(offset + 4, little) / (nano ? 1e6 : 1e3);
    const atMs = view.getUint32(offset, little) * 1000 + fraction;
    yield { atMs, linkType, bytes: bytes.subarray(start, start + length) };
    offset = start + length;
  }
}

interface Interface {
  readonly linkType: number;
  readonly ticksPerMs: number;
}

function* pcapngPackets(bytes: Uint8Array): Generator<CapturedPacket, void, void> {
  const view = viewOf(bytes);
  let little = true;
  let interfaces: Interface[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (bytes.length - offset < MIN_BLOCK_BYTES) throw malformed("a block is cut", offset);
    if (view.getUint32(offset) === SECTION_HEADER) {
      little = view.getUint32(offset + 8, true) === BYTE_ORDER_MAGIC;
      if (!little && view.getUint32(offset + 8) !== BYTE_ORDER_MAGIC) {
        throw malformed("a section names no byte order", offset);
      }
      interfaces = [];
    }
    const type = view.getUint32(offset, little);
    const length = view.getUint32(offset + 4, little);
    if (length < MIN_BLOCK_BYTES || length % 4 !== 0 || length > bytes.length - offset) {
      throw malformed(`a block of ${length} bytes is cut or malformed`, offset);
    }
    const body = new DataView(
      bytes.buffer,
      bytes.byteOffset + offset + 8,
      length - MIN_BLOCK_BYTES,
    );
    if (type === INTERFACE) {
      if (interfaces.length >= MAX_INTERFACES) throw malformed("too many interfaces", offset);
      interfaces.push(interfaceOf(body, little, offset));
    } else if (type === ENHANCED_PACKET || type === SIMPLE_PACKET) {
      yield packetOf(body, little, type === ENHANCED_PACKET, interfaces, offset);
    }
    offset += length;
  }
}

function interfaceOf(body: DataView, little: boolean, offset: number): Interface {
  if (body.byteLength < 8) throw malformed("an interface is cut", offset);
  const linkType = body.getUint16(0, little);
  // Microseconds, unless an option says otherwise.
  let ticksPerMs = 1000;
  for (let at = 8; at + 4 <= body.byteLength;) {
    const [code, length] = [body.getUint16(at, little), body.getUint16(at + 2, little)];
    if (code === 0 || at + 4 + length > body.byteLength) break;
    if (code === OPTION_TIME_RESOLUTION && length === 1) {
      const resolution = body.getUint8(at + 4);
      const base = (resolution & 0x80) === 0 ? 10 : 2;
      ticksPerMs = base ** (resolution & 0x7f) / 1000;
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { linkType, ticksPerMs };
}

function packetOf(
  body: DataView,
  little: boolean,
  enhanced: boolean,
  interfaces: readonly Interface[],
  offset: number,
): CapturedPacket {
  const head = enhanced ? 20 : 4;
  if (body.byteLength < head) throw malformed("a packet is cut", offset);
  const found = interfaces[enhanced ? body.getUint32(0, little) : 0];
  if (found === undefined) throw malformed("a packet names no interface", offset);
  const room = body.byteLength - head;
  const length = body.getUint32(enhanced ? 12 : 0, little);
  if (enhanced && (length > room || length > MAX_PACKET_BYTES)) {
    throw malformed(`a packet of ${length} bytes is cut or too long`, offset);
  }
  const ticks = enhanced
    ? body.getUint32(4, little) * 4_294_967_296 + body.getUint32(8, little)
    : 0;
  // A simple packet names its original length alone; what is there of it fills the block.
  const bytes = new Uint8Array(body.buffer, body.byteOffset + head, Math.min(length, room));
  return { atMs: ticks / found.ticksPerMs, linkType: found.linkType, bytes };
}
