/** An open session that gets the frames of a peer who breaks rules, over `src/connection`. @module */
import { FRAME_HEADROOM, FrameHeader, fromHex, parseFrameHeader } from "../../src/codec/mod.ts";
import { connectionLimits, transportParameters } from "../../src/connection/config.ts";
import { Connection } from "../../src/connection/connection.ts";
import type { PathOptions } from "../../src/connection/session_core.ts";
import { FRAME_HANDSHAKE, FRAME_MAX_BODY, TAG_BYTES } from "../../src/constants.ts";
import { type CryptoProvider, seedKeys, staticKey } from "../../src/crypto/mod.ts";
import { Acceptor } from "../../src/handshake/acceptor.ts";
import type { HandshakeSession } from "../../src/handshake/types.ts";
import { Protection } from "../../src/session/protection.ts";
import { type TrafficSecrets, TrafficTap } from "../../src/testing/traffic_tap.ts";
import type { Arguments, Operation } from "./notation.ts";

const OPTIONS: Readonly<Record<string, string>> = {
  max_data: "maxData",
  max_stream_data: "maxStreamData",
  max_streams: "maxStreams",
  max_datagram: "maxDatagram",
  max_frame: "maxFrame",
};

const HERE = { host: "192.0.2.1", port: 4780 };
const THERE = { host: "192.0.2.2", port: 4780 };

export function sessionOps(provider: CryptoProvider): Readonly<Record<string, Operation>> {
  return { "session.run": (a) => runSession(provider, a) };
}

interface Ends {
  readonly initiator: Connection;
  readonly responder: Connection;
}

/** Everything that the application is told is taken, and nothing is done about it. */
function drain(connection: Connection): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (;;) {
    const event = connection.nextEvent();
    if (event?.type === "identified") connection.accept(0);
    if (event !== undefined) continue;
    const frame = connection.transmit(0);
    if (frame === undefined) return frames;
    frames.push(frame);
  }
}

/** The handshake message among them, without what lies behind it in its datagram. */
function message(frames: readonly Uint8Array[]): Uint8Array {
  const header = new FrameHeader();
  for (const frame of frames) {
    parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
    if (header.type === FRAME_HANDSHAKE) return frame.slice(0, header.end);
  }
  throw new Error("no handshake message");
}

/** Two ends behind their handshake; neither has got a protected frame of the other. */
function established(
  provider: CryptoProvider,
  reliable: boolean,
  options: Record<string, number>,
): Ends {
  const limits = connectionLimits(options);
  const keys = seedKeys(provider, provider.randomBytes(32));
  const common = () => ({
    provider,
    staticKey: staticKey(provider, provider.randomBytes(32)),
    parameters: transportParameters(limits),
    suites: [1, 2],
    timeoutMs: 10_000,
    unixOffsetMs: 1_731_000_000_000,
  });
  const path = (remote: typeof HERE): { path?: PathOptions } =>
    reliable ? {} : { path: { congestion: "cubic", loopback: false, remote } };
  const acceptor = new Acceptor({ ...common(), seeds: [keys] }, 0);
  const handshake = { ...common(), reliable, seedKeys: keys };
  const initiator = Connection.dial({ provider, limits, handshake, ...path(THERE) }, 0);
  const hello = message(drain(initiator));
  if (reliable) {
    const responder = Connection.answer({ provider, limits, acceptor, from: HERE }, 0);
    responder.receive(hello, 0);
    initiator.receive(message(drain(responder)), 0);
    responder.receive(message(drain(initiator)), 0);
    initiator.receive(message(drain(responder)), 0);
    drain(initiator);
    return { initiator, responder };
  }
  const from = { ...HERE, reliable };
  const response = acceptor.receive(hello, from, 0);
  if (response.kind !== "send") throw new Error("no RESPONSE");
  initiator.receive(response.frame, 0, THERE.host, THERE.port);
  const proven = acceptor.receive(message(drain(initiator)), from, 0);
  if (proven.kind !== "session") throw new Error("no session");
  const { pending } = proven;
  const responder = Connection.accepted(
    { provider, limits, acceptor, pending, path: path(HERE).path as PathOptions },
    0,
  );
  initiator.receive(message(drain(responder)), 0, THERE.host, THERE.port);
  drain(initiator);
  return { initiator, responder };
}

/** Seals what the peer sends, whatever it is. */
function sealer(
  provider: CryptoProvider,
  session: HandshakeSession,
  { i2r, r2i }: TrafficSecrets,
  peer: "initiator" | "responder",
  reliable: boolean,
): (frame: Arguments) => Uint8Array {
  const [send, recv] = peer === "initiator" ? [i2r, r2i] : [r2i, i2r];
  const protection = new Protection({
    provider,
    suite: session.suite,
    sessionId: session.sessionId,
    sendSecret: send.slice(),
    recvSecret: recv.slice(),
    reliable,
    nowMs: 0,
  });
  return ({ type, flags, stream_id, plaintext }) => {
    const content = fromHex(plaintext);
    const end = FRAME_HEADROOM + content.length;
    const buffer = new Uint8Array(end + TAG_BYTES);
    buffer.set(content, FRAME_HEADROOM);
    protection.seal(buffer, FRAME_HEADROOM, end, type, flags, stream_id, 0);
    return buffer.slice(protection.frameStart, protection.frameEnd);
  };
}

function runSession(provider: CryptoProvider, a: Arguments): unknown {
  const options = Object.fromEntries(
    Object.entries(a.parameters as Record<string, { int: string }>)
      .map(([name, { int }]) => [OPTIONS[name] as string, Number(int)]),
  );
  const tap = new TrafficTap(provider);
  const ends = established(tap.provider, a.reliable, options);
  const victim: Connection = a.role === "initiator" ? ends.initiator : ends.responder;
  const other = a.role === "initiator" ? ends.responder : ends.initiator;
  const source = a.role === "initiator" ? THERE : HERE;
  const peer = a.role === "initiator" ? "responder" : "initiator";
  const seal = sealer(provider, other.session as HandshakeSession, tap.newest, peer, a.reliable);
  const results: { close: number | null }[] = [];
  for (const frame of a.frames) {
    victim.receive(seal(frame), 0, source.host, source.port);
    victim.endOfBatch(0);
    drain(victim);
    const facts = victim.closeFacts;
    const close = facts === undefined || facts.remote ? null : facts.error?.wire ?? facts.code;
    results.push({ close });
    if (close !== null) break;
  }
  return { results };
}
