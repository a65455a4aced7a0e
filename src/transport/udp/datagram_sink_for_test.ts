import type { SttError } from "../../errors.ts";
import type { DatagramSink } from "./datagram_socket.ts";

/** One datagram as it arrived. */
export interface Arrived {
  readonly bytes: Uint8Array;
  readonly host: string;
  readonly port: number;
}

/** Keeps everything and lets tests wait for it. */
export class RecordingSink implements DatagramSink {
  readonly arrived: Arrived[] = [];
  readonly errors: SttError[] = [];
  batches = 0;
  drains = 0;
  closes = 0;
  onDatagram: ((datagram: Arrived) => void) | undefined;
  #changed: (() => void)[] = [];

  datagram(bytes: Uint8Array, host: string, port: number): void {
    const datagram = { bytes, host, port };
    this.arrived.push(datagram);
    this.onDatagram?.(datagram);
    this.#change();
  }

  batchEnd(): void {
    this.batches++;
    this.#change();
  }

  drain(): void {
    this.drains++;
    this.#change();
  }

  error(error: SttError): void {
    this.errors.push(error);
    this.#change();
  }

  closed(): void {
    this.closes++;
    this.#change();
  }

  /** Resolves when `condition` holds, looked at after each call. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
