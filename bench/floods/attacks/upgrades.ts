/**
 * What a stranger may do to the WebSocket server before there is a session.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  floodConnections,
  loopbackAddress,
  stranger,
  upgradeAnd,
  webSocketFrame,
} from "../../../src/endpoint/flood_for_test.ts";
import type { Attack } from "../attacks.ts";

const TEXT = new TextEncoder();
const AT_ONCE = 200;

/** One header of 64 KiB, or 5000 small ones, in turns. */
const bombs: Attack = async ({ port, count, go }) => {
  const start = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  const one = TEXT.encode(`${start}X-Long: ${"x".repeat(65_536)}\r\n\r\n`);
  const many = TEXT.encode(`${start}${"X-A: 1\r\n".repeat(5000)}\r\n`);
  await go();
  const { sent, answers } = await floodConnections(
    { port, count, parallel: AT_ONCE, bytes: (index) => index % 2 === 0 ? one : many },
    5000,
  );
  return { sent, answers };
};

const CONNECTIONS = 50;
/** The longest that a stranger has is the time for a handshake. */
const HOLD_MS = 9000;

/** Frames over upgraded connections that read nothing, `count` in all, then silence. */
function frames(frame: (index: number) => Uint8Array, perWrite: number): Attack {
  return async ({ port, count, go }) => {
    const upgrade = upgradeAnd(new Uint8Array(0));
    const request = upgrade.subarray(
      0,
      upgrade.length - webSocketFrame(0x82, new Uint8Array(0)).length,
    );
    await go();
    const until = performance.now() + HOLD_MS;
    let sent = 0;
    await Promise.all(Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const socket = stranger(port, loopbackAddress(connection));
      let closed = false;
      socket.on("close", () => closed = true);
      await new Promise<void>((resolve) => {
        socket.once("connect", () => resolve());
        socket.once("close", () => resolve());
      });
      socket.setNoDelay(true);
      socket.write(request);
      // Nothing that comes back is ever read.
      socket.pause();
      const most = count / CONNECTIONS;
      for (let index = 0; index < most && !closed && performance.now() < until;) {
        const parts = Array.from(
          { length: Math.min(perWrite, most - index) },
          () => frame(index++),
        );
        await written(socket, Uint8Array.from(parts.flatMap((part) => [...part])));
        sent += parts.length;
      }
      const left = until - performance.now();
      if (!closed && left > 0) await new Promise((resolve) => setTimeout(resolve, left));
      socket.destroy();
    }));
    return { sent };
  };
}

/** Resolves when the bytes are the system's, or after a while when it takes no more. */
function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 2000);
    socket.write(bytes, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const PING = webSocketFrame(0x89, new Uint8Array(125));
const FIRST = webSocketFrame(0x02, new Uint8Array(1));
const NEXT = webSocketFrame(0x00, new Uint8Array(1));
const EMPTY = webSocketFrame(0x00, new Uint8Array(0));
const fragment = (index: number): Uint8Array => index === 0 ? FIRST : NEXT;

/** By name. */
export const UPGRADES: Readonly<Record<string, Attack>> = {
  "header-bombs": bombs,
  "websocket-pings": frames(() => PING, 500),
  "websocket-fragments": frames(fragment, 500),
  "websocket-fragments-alone": frames(fragment, 1),
  "websocket-empty-fragments": frames((index) => index === 0 ? FIRST : EMPTY, 500),
};
