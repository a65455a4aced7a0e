/**
 * Connections that hold a place and do as little as they can.
 *
 * @module
 */
import type { Socket } from "node:net";
import { loopbackAddress, stranger, upgradeAnd } from "../../../src/endpoint/flood_for_test.ts";
import type { Attack } from "../attacks.ts";

const LASTS_MS = 12_000;
const DRIP_MS = 250;

/** `count` connections that write a byte at a time; one that is closed is opened again. */
function loris(bytes: Uint8Array, from: (index: number) => string): Attack {
  return async ({ port, count, go }) => {
    await go();
    const until = performance.now() + LASTS_MS;
    let sent = 0;
    const open = new Map<Socket, number>();
    const begin = (): void => {
      const socket = stranger(port, from(sent++));
      open.set(socket, 0);
      socket.on("close", () => open.delete(socket));
    };
    while (performance.now() < until) {
      for (let missing = count - open.size; missing > 0; missing--) begin();
      for (const [socket, at] of open) {
        if (socket.connecting) continue;
        socket.write(bytes.subarray(at, at + 1));
        open.set(socket, (at + 1) % bytes.length);
      }
      await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
    }
    for (const socket of open.keys()) socket.destroy();
    return { sent };
  };
}

const REQUEST = upgradeAnd(new Uint8Array(0)).subarray(0, 200);
/** The beginning of the longest frame that a stranger may send. */
const FRAME = Uint8Array.from([0x53, 0x54, 0x80, 0x20, 0x05, ...new Array<number>(500).fill(0)]);

/** By name. */
export const SLOW: Readonly<Record<string, Attack>> = {
  "slow-upgrade": loris(REQUEST, loopbackAddress),
  "slow-upgrade-one": loris(REQUEST, () => "127.1.1.1"),
  "slow-hello": loris(FRAME, loopbackAddress),
  "slow-hello-one": loris(FRAME, () => "127.1.1.1"),
};
