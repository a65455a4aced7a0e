/**
 * What a peer with a session can do.
 *
 * @module
 */
import type { SessionRecord } from "../../../src/codec/records.ts";
import { FRAME_CONTROL, FRAME_DATA } from "../../../src/constants.ts";
import { connect } from "../../../src/endpoint/connect.ts";
import type { Attack } from "../attacks.ts";
import { ForgedSession, payloadOf } from "./forged_session.ts";

/** Sessions that take what the listener's application sends and read nothing of it. */
const UNREAD_MS = 8000;

const unread: Attack = async ({ address, seed, count, go }) => {
  await go();
  let sent = 0;
  for (; sent < count; sent++) await connect(address, { seed });
  await new Promise((resolve) => setTimeout(resolve, 100));
  // The whole process stands still: its sockets read nothing, and nothing is acknowledged.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, UNREAD_MS);
  return { sent };
};

const FRAMES_A_WRITE = 500;

const tinyFrames: Attack = async ({ port, seed, count, go }) => {
  const session = await ForgedSession.open(port, seed);
  const payload = Uint8Array.of(1);
  await go();
  for (let sent = 0; sent < count; sent += FRAMES_A_WRITE) {
    await session.send(
      Array.from({ length: FRAMES_A_WRITE }, () => session.frame(FRAME_DATA, payload)),
    );
  }
  session.end();
  return { sent: count };
};

const RECORDS_A_FRAME = 5000;

/** PINGs of a peer that reads no answer. */
const pings: Attack = async ({ port, seed, count, go }) => {
  const session = await ForgedSession.open(port, seed);
  const token = new Uint8Array(8);
  const ping: SessionRecord = { type: "ping", token };
  const payload = payloadOf(Array.from({ length: RECORDS_A_FRAME }, () => ping));
  await go();
  session.ignore();
  for (let sent = 0; sent < count; sent += RECORDS_A_FRAME) {
    await session.send([session.frame(FRAME_CONTROL, payload)]);
  }
  session.end();
  return { sent: count };
};

const streams: Attack = async ({ address, seed, count, go }) => {
  const peer = await connect(address, { seed });
  await go();
  const bytes = new Uint8Array(10);
  for (let sent = 0; sent < count; sent++) {
    const stream = await peer.openStream();
    await stream.write(bytes);
    stream.reset();
    stream.stop();
  }
  await peer.close();
  return { sent: count };
};

/** By name. */
export const SESSIONS: Readonly<Record<string, Attack>> = {
  unread,
  "tiny-frames": tinyFrames,
  pings,
  "reset-streams": streams,
};
