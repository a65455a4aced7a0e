/** A sender and a path without queue for tests of controllers: every packet comes back when the test says so. */

import { DeliveryRate } from "../recovery/delivery_rate.ts";
import { packetFor } from "../recovery/packet_for_test.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import type { PacketFields, SentPacket } from "../recovery/sent_packet.ts";
import type { CongestionController } from "./controller.ts";

export const MTU = 1200;

export class WindowDriver {
  readonly controller: CongestionController;
  readonly rtt: RttEstimator = new RttEstimator();
  readonly rate: DeliveryRate = new DeliveryRate();
  nowMs = 0;
  bytesInFlight = 0;
  #sequence = 0;

  constructor(controller: CongestionController) {
    this.controller = controller;
  }

  /** Window in packets. */
  get packets(): number {
    return this.controller.window / MTU;
  }

  send(fields: Partial<PacketFields> = {}): SentPacket {
    const packet = packetFor(this.#sequence++, this.nowMs, fields);
    this.rate.onSent(packet, this.nowMs, this.bytesInFlight);
    if (packet.inFlight) this.bytesInFlight += packet.size;
    this.controller.onSent(packet, this.bytesInFlight, this.nowMs);
    return packet;
  }

  /** Sends as many packets as the window has room for. */
  fill(): SentPacket[] {
    const packets: SentPacket[] = [];
    while (this.bytesInFlight + MTU <= this.controller.window) packets.push(this.send());
    return packets;
  }

  ack(packets: SentPacket[]): void {
    for (const packet of packets) {
      this.rate.onAcked(packet, this.nowMs);
      if (packet.inFlight) this.bytesInFlight -= packet.size;
    }
    const last = packets[packets.length - 1]!;
    this.rtt.update(this.nowMs - last.sentMs, 0);
    const sample = this.rate.sample(this.nowMs, this.rtt.min);
    this.controller.onAcked(packets, sample, this.rtt, this.bytesInFlight, this.nowMs);
  }

  lose(packets: SentPacket[], persistent = false): void {
    for (const packet of packets) {
      this.rate.onLost(packet);
      if (packet.inFlight) this.bytesInFlight -= packet.size;
    }
    this.controller.onLost(packets, persistent, this.bytesInFlight, this.nowMs);
  }

  /** One round trip of a busy sender: the window is filled, time passes, everything is acknowledged in pairs. */
  round(rttMs: number): void {
    const packets = this.fill();
    this.nowMs += rttMs;
    for (let i = 0; i < packets.length; i += 2) this.ack(packets.slice(i, i + 2));
  }
}
