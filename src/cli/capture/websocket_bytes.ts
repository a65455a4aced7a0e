/**
 * What one direction of a WebSocket carries, unmasked.
 *
 * @module
 */

/** The longest request or response that opens a WebSocket. */
const MAX_HEAD_BYTES = 65_536;
const MAX_FRAME_BYTES = 4_194_304;
/** CR, LF, CR, LF. */
const HEAD_END: readonly number[] = [13, 10, 13, 10];
const BINARY = 2;
const CONTINUATION = 0;

/** Reads the HTTP head and the frames behind it. */
export class WebSocketBytes {
  /** It is no WebSocket, or holds a frame that STT never sends. */
  broken = false;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Fewer bytes than this are no whole frame: joining them at every segment would take a square of time. */
  #needed = 0;
  #open = false;
  /** Bytes of {@link HEAD_END} that were the last ones. */
  #endSeen = 0;
  /** Of the message that continuations go on with. */
  #binary = false;

  /** Takes bytes in order; the payloads of binary messages go to `take`. */
  push(bytes: Uint8Array, take: (bytes: Uint8Array) => void): void {
    if (this.broken) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes < this.#needed) return;
    if (!this.#open && !this.#endsHead(bytes)) {
      if (this.#heldBytes >= MAX_HEAD_BYTES) this.#break();
      return;
    }
    const all = this.#join();
    let offset = this.#open ? 0 : this.#skipHead(all);
    while (this.#open && !this.broken) {
      const end = this.#frame(all, offset, take);
      if (end === undefined) break;
      offset = end;
    }
    this.#held = this.broken ? [] : [all.slice(offset)];
    this.#heldBytes = all.length - offset;
  }

  /** Whether the end of the head is in these bytes: no need to join anything before. */
  #endsHead(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      const next = byte === HEAD_END[this.#endSeen] ? this.#endSeen + 1 : 0;
      this.#endSeen = next === 0 && byte === HEAD_END[0] ? 1 : next;
      if (this.#endSeen === HEAD_END.length) return true;
    }
    return false;
  }

  #break(): void {
    this.broken = true;
    this.#held = [];
  }

  #join(): Uint8Array {
    const all = new Uint8Array(this.#heldBytes);
    let offset = 0;
    for (const part of this.#held) {
      all.set(part, offset);
      offset += part.length;
    }
    this.#needed = 0;
    return all;
  }

  #skipHead(bytes: Uint8Array): number {
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, MAX_HEAD_BYTES));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      this.broken = bytes.length >= MAX_HEAD_BYTES;
      return 0;
    }
    this.#open = /^upgrade: *websocket/im.test(text.slice(0, end));
    this.broken = !this.#open;
    return end + 4;
  }

  /** The offset behind the frame, or undefined when it is not whole yet. */
  #frame(bytes: Uint8Array, start: number, take: (bytes: Uint8Array) => void): number | undefined {
    if (bytes.length - start < 2) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
    const opcode = view.getUint8(0) & 0x0f;
    const masked = (view.getUint8(1) & 0x80) !== 0;
    const short = view.getUint8(1) & 0x7f;
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    const head = 2 + extra + (masked ? 4 : 0);
    if (view.byteLength < head) return undefined;
    let length = short;
    if (extra === 2) length = view.getUint16(2);
    if (extra === 8) length = view.getUint32(2) * 4_294_967_296 + view.getUint32(6);
    // SPEC 4: no compression, so that no reserved bit is set.
    if (length > MAX_FRAME_BYTES || (view.getUint8(0) & 0x70) !== 0) {
      this.broken = true;
      return undefined;
    }
    if (view.byteLength < head + length) {
      this.#needed = head + length;
      return undefined;
    }
    const from = start + head;
    if (opcode !== CONTINUATION && opcode < 8) this.#binary = opcode === BINARY;
    if (this.#binary && opcode < 8 && length > 0) {
      const payload = bytes.slice(from, from + length);
      if (masked) unmask(payload, bytes.subarray(from - 4, from));
      take(payload);
    }
    return from + length;
  }
}

function unmask(payload: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index % 4] as number;
}
