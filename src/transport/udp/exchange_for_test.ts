import { clearInterval, setImmediate, setInterval } from "node:timers";
import type { DatagramSink, DatagramSocket } from "./datagram_socket.ts";

/** What became of the datagrams of an {@link exchange}. */
export interface ExchangeCount {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly damaged: number;
  readonly repeated: number;
}

/** Datagrams that may be on the way; the default receive buffer of Linux holds about 90 of 1200 bytes. */
const WINDOW = 48;
const IDLE: Omit<DatagramSink, "datagram"> = {
  batchEnd() {},
  drain() {},
  error(error) {
    throw error;
  },
  closed() {},
};

/**
 * Sends `total` numbered datagrams of `size` bytes from one socket to the other out of one reused array; the receiver
 * answers each batch with the highest number that it has seen.
 */
export async function exchange(
  from: DatagramSocket,
  to: DatagramSocket,
  total: number,
  size: number,
): Promise<ExchangeCount> {
  const seen = new Uint8Array(total);
  const answer = new Uint8Array(4);
  let buffer = new Uint8Array(size);
  let sent = 0, received = 0, damaged = 0, repeated = 0, highest = -1, acknowledged = -1;
  let peer = { host: "", port: 0 };
  to.start({
    ...IDLE,
    datagram(bytes, host, port) {
      peer = { host, port };
      const sequence = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      const wrong = bytes.length !== size || sequence >= total ||
        bytes.subarray(4).some((byte) => byte !== (sequence & 0xff));
      if (wrong) damaged++;
      else if (seen[sequence] === 1) repeated++;
      else {
        seen[sequence] = 1;
        received++;
        highest = Math.max(highest, sequence);
      }
    },
    batchEnd() {
      new DataView(answer.buffer).setUint32(0, highest);
      to.send(answer, peer.host, peer.port);
    },
  });
  await new Promise<void>((resolve) => {
    const pump = (): void => {
      while (sent < total && sent - acknowledged <= WINDOW && !from.full) {
        buffer.fill(sent & 0xff);
        new DataView(buffer.buffer).setUint32(0, sent++);
        if (!from.send(buffer, to.localHost, to.localPort)) buffer = new Uint8Array(size);
      }
    };
    const finish = (): void => {
      clearInterval(stalled);
      resolve();
    };
    let before = -1;
    // A lost tail is never acknowledged: without progress for one interval the window counts as lost.
    const stalled = setInterval(() => {
      if (before === acknowledged) {
        if (sent === total) finish();
        acknowledged = sent - 1;
      }
      before = acknowledged;
      pump();
    }, 500);
    from.start({
      ...IDLE,
      datagram(bytes) {
        acknowledged = Math.max(acknowledged, new DataView(bytes.buffer).getUint32(0));
      },
      batchEnd() {
        if (acknowledged === total - 1) finish();
        else pump();
      },
      drain: pump,
    });
    setImmediate(pump);
  });
  return { sent, received, lost: sent - received, damaged, repeated };
}
