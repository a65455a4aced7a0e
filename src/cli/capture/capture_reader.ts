/**
 * A capture in words: the frames of STT in it, one after the other, opened where there are keys.
 *
 * @module
 */
import { FrameAssembler } from "../../codec/frame_assembler.ts";
import { FrameHeader, parseFrameHeader } from "../../codec/frame.ts";
import { FRAME_MAX_BODY, MAGIC_0, MAGIC_1 } from "../../constants.ts";
import { SttError } from "../../errors.ts";
import { type CapturedPacket, packetsOf } from "./capture_file.ts";
import { type CapturedFrame, frameOf } from "./captured_frame.ts";
import type { KeyRing } from "./key_ring.ts";
import { type Segment, segmentOf } from "./network_layers.ts";
import { TcpOrder } from "./tcp_order.ts";
import { WebSocketBytes } from "./websocket_bytes.ts";

/** Directions of TCP connections that are followed; further ones are passed over. */
const MAX_FLOWS = 4096;

/** What was found in a capture besides frames. */
export interface CaptureSummary {
  packets: number;
  frames: number;
  /** Frames that were opened. */
  opened: number;
  /** Why the reading ended before the end of the file, or parts were passed over. */
  readonly faults: string[];
}

/** One direction of a TCP connection. */
interface Flow {
  readonly order: TcpOrder;
  readonly frames: FrameAssembler;
  /** Undefined until the first bytes say what it is. */
  kind: "tcp" | "ws" | "other" | undefined;
  readonly webSocket: WebSocketBytes;
}

/** Finds the frames of a capture. */
export class CaptureReader {
  readonly summary: CaptureSummary = { packets: 0, frames: 0, opened: 0, faults: [] };
  readonly #keys: KeyRing | undefined;
  readonly #take: (frame: CapturedFrame) => void;
  readonly #flows: Map<string, Flow> = new Map();
  readonly #header: FrameHeader = new FrameHeader();
  #firstMs: number | undefined;

  /** `take` gets every frame. */
  constructor(keys: KeyRing | undefined, take: (frame: CapturedFrame) => void) {
    this.#keys = keys;
    this.#take = take;
  }

  /** Reads a whole file. What is wrong with it stands in the summary. */
  read(file: Uint8Array): CaptureSummary {
    try {
      for (const packet of packetsOf(file)) this.#packet(packet);
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      this.summary.faults.push(error.message);
    }
    return this.summary;
  }

  #packet(packet: CapturedPacket): void {
    this.summary.packets++;
    this.#firstMs ??= packet.atMs;
    const segment = segmentOf(packet);
    if (segment === undefined) return;
    const atMs = packet.atMs - this.#firstMs;
    if (segment.protocol === "udp") this.#datagram(segment, atMs);
    else this.#tcp(segment, atMs);
  }

  #datagram(segment: Segment, atMs: number): void {
    const { payload } = segment;
    for (let offset = 0; isMagic(payload, offset);) {
      try {
        const end = parseFrameHeader(payload, offset, payload.length, FRAME_MAX_BODY, this.#header);
        this.#frame(payload.subarray(offset, end), segment, "udp", atMs);
        offset = end;
      } catch (error) {
        if (!(error instanceof SttError)) throw error;
        return;
      }
    }
  }

  #tcp(segment: Segment, atMs: number): void {
    const name = `${segment.from} ${segment.to}`;
    let flow = segment.syn ? undefined : this.#flows.get(name);
    if (flow === undefined) {
      if (this.#flows.size >= MAX_FLOWS && !this.#flows.has(name)) return;
      flow = {
        order: new TcpOrder(),
        frames: new FrameAssembler(FRAME_MAX_BODY),
        kind: undefined,
        webSocket: new WebSocketBytes(),
      };
      this.#flows.set(name, flow);
    }
    const { order } = flow;
    const known = flow;
    const broken = order.broken;
    order.push(segment.sequence, segment.syn, segment.payload, (bytes) => {
      this.#bytes(known, bytes, segment, atMs);
    });
    if (order.broken && !broken) {
      this.summary.faults.push(`bytes from ${segment.from} to ${segment.to} are missing`);
    }
  }

  #bytes(flow: Flow, bytes: Uint8Array, segment: Segment, atMs: number): void {
    flow.kind ??= kindOf(bytes);
    if (flow.kind === "other") return;
    const { kind } = flow;
    const take = (part: Uint8Array): void => this.#framesOf(flow, part, segment, kind, atMs);
    if (kind === "tcp") return take(bytes);
    flow.webSocket.push(bytes, take);
    if (flow.webSocket.broken) flow.kind = "other";
  }

  #framesOf(
    flow: Flow,
    bytes: Uint8Array,
    segment: Segment,
    kind: "tcp" | "ws",
    atMs: number,
  ): void {
    if (flow.kind === "other") return;
    try {
      flow.frames.push(bytes);
      for (let frame = flow.frames.next(); frame !== undefined; frame = flow.frames.next()) {
        this.#frame(frame, segment, kind, atMs);
      }
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      flow.kind = "other";
      this.summary.faults.push(`from ${segment.from} to ${segment.to}: ${error.message}`);
    }
  }

  #frame(
    bytes: Uint8Array,
    segment: Segment,
    transport: CapturedFrame["transport"],
    atMs: number,
  ): void {
    const frame = frameOf(bytes, this.#keys);
    this.summary.frames++;
    if (frame.opened !== undefined) this.summary.opened++;
    const { from, to } = segment;
    this.#take({ ...frame, atMs, transport, from, to });
  }
}

function isMagic(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset] === MAGIC_0 && bytes[offset + 1] === MAGIC_1;
}

/** By its first bytes. A first segment of one byte decides too: no TCP of our days sends so little. */
function kindOf(bytes: Uint8Array): "tcp" | "ws" | "other" {
  if (isMagic(bytes, 0)) return "tcp";
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 5));
  return text.startsWith("GET ") || text === "HTTP/" ? "ws" : "other";
}
