/**
 * The packets that are neither acknowledged nor lost, found by sequence.
 *
 * @module
 */
import type { SentPacket } from "./sent_packet.ts";

/** A session that rests has a packet or two on its way; one that works doubles this a few times. */
const FIRST_CAPACITY = 4;

/**
 * A ring indexed by sequence. An empty slot knows a later slot to look at, and walking shortens these paths, so that
 * an ACK that repeats old ranges costs nothing per packet that is gone already.
 */
export class PacketHistory {
  #packets: (SentPacket | undefined)[] = new Array<SentPacket | undefined>(FIRST_CAPACITY);
  /** For an empty slot: how many sequences further a packet may be. */
  #skip: number[] = new Array<number>(FIRST_CAPACITY).fill(1);
  #mask = FIRST_CAPACITY - 1;
  /** Lowest sequence that may hold a packet, and its slot. */
  #base = 0;
  #head = 0;
  #end = 0;
  #size = 0;

  /** Packets held. */
  get size(): number {
    return this.#size;
  }

  /** Sequences from the first held to the last added. */
  get span(): number {
    return this.#size === 0 ? 0 : this.#end - this.#base;
  }

  /** Adds a packet whose sequence is above all before. */
  add(packet: SentPacket): void {
    const sequence = packet.sequence;
    if (this.#size === 0) {
      this.#base = sequence;
      this.#head = 0;
    } else {
      if (sequence - this.#base >= this.#packets.length) this.#grow(sequence - this.#base + 1);
      for (let empty = this.#end; empty < sequence; empty++) this.#skip[this.#slot(empty)] = 1;
    }
    this.#packets[this.#slot(sequence)] = packet;
    this.#end = sequence + 1;
    this.#size++;
  }

  /** The packet with the lowest sequence from `sequence` on. */
  from(sequence: number): SentPacket | undefined {
    if (this.#size === 0) return undefined;
    let at = Math.max(sequence, this.#base);
    const end = this.#end;
    while (at < end) {
      const slot = this.#slot(at);
      const packet = this.#packets[slot];
      if (packet !== undefined) return packet;
      const next = at + this.#skip[slot]!;
      if (next < end) {
        const nextSlot = this.#slot(next);
        if (this.#packets[nextSlot] === undefined) this.#skip[slot]! += this.#skip[nextSlot]!;
      }
      at = next;
    }
    return undefined;
  }

  /** Takes a held packet out. */
  remove(packet: SentPacket): void {
    const slot = this.#slot(packet.sequence);
    this.#packets[slot] = undefined;
    this.#skip[slot] = 1;
    this.#size--;
    if (packet.sequence !== this.#base || this.#size === 0) return;
    const first = this.from(this.#base + 1)!;
    this.#head = this.#slot(first.sequence);
    this.#base = first.sequence;
  }

  #slot(sequence: number): number {
    return this.#head + (sequence - this.#base) & this.#mask;
  }

  #grow(span: number): void {
    let capacity = this.#packets.length;
    while (capacity < span) capacity *= 2;
    const packets = new Array<SentPacket | undefined>(capacity);
    const skip = new Array<number>(capacity).fill(1);
    for (let at = this.#base, index = 0; at < this.#end; at++, index++) {
      const slot = this.#slot(at);
      packets[index] = this.#packets[slot];
      skip[index] = this.#skip[slot]!;
    }
    this.#packets = packets;
    this.#skip = skip;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
