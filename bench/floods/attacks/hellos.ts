/**
 * HELLOs: noise, recorded genuine ones, and new ones of somebody who holds the seed.
 *
 * @module
 */
import { connect } from "../../../src/endpoint/connect.ts";
import {
  floodConnections,
  HelloMaker,
  loopbackAddress,
  noise,
  upgradeAnd,
} from "../../../src/endpoint/flood_for_test.ts";
import { tampering } from "../../../src/endpoint/tampering_for_test.ts";
import { decodeMessage, encodeMessage } from "../../../src/handshake/messages.ts";
import { Prng } from "../../../src/testing/prng.ts";
import type { Attack, Target } from "../attacks.ts";

/** Recorded dials: as many that opened a session as such whose HELLO reached nobody. */
const RECORDED = 20;
/** Noise comes from few sockets, as fast as they go. */
const NOISE_SOCKETS = 64;
/** Connections of strangers at once, and how long each holds on when nobody closes it. */
const CONNECTIONS = 1000;
const HOLD_MS = 1000;
const COOKIE_BYTES = 20;

type Source = "random" | "recorded" | "changed" | "valid";

/** HELLOs of dials that opened a session, as somebody on the way saw them. */
async function genuine({ address, seed }: Target): Promise<Uint8Array[]> {
  const hellos: Uint8Array[] = [];
  for (let count = 0; count < RECORDED; count++) {
    let first: Uint8Array | undefined;
    const transports = [tampering((datagram) => {
      first ??= datagram.slice();
      return [datagram];
    })];
    const peer = await connect(address, { seed, transports });
    await peer.close();
    if (first !== undefined) hellos.push(first);
  }
  return hellos;
}

async function messages(target: Target, source: Source): Promise<(index: number) => Uint8Array> {
  if (source === "random") {
    const prng = new Prng(1);
    return (index) => noise(prng, index);
  }
  const udp = target.address.startsWith("udp:");
  const maker = new HelloMaker(target.seed, !udp);
  if (source === "valid") return () => maker.hello();
  const hellos = udp ? await genuine(target) : [];
  while (hellos.length < 2 * RECORDED) hellos.push(maker.hello());
  if (source === "recorded") return (index) => hellos[index % hellos.length]!;
  const templates = hellos.map(withCookie);
  return (index) => {
    const { frame, cookieAt } = templates[index % templates.length]!;
    new DataView(frame.buffer).setUint32(cookieAt, index);
    return frame;
  };
}

/** The HELLO with a cookie, which nothing authenticates, and where its bytes are: no two sent are the same. */
function withCookie(hello: Uint8Array): { frame: Uint8Array; cookieAt: number } {
  const message = decodeMessage(hello);
  if (message.type !== "HELLO") throw new Error(`no HELLO was recorded but ${message.type}`);
  const [frame, other] = [0x00, 0xff].map((fill) => {
    const cookie = new Uint8Array(COOKIE_BYTES).fill(fill);
    return encodeMessage(new Map([...message.fields, ["cookie", cookie]]));
  });
  return { frame: frame!, cookieAt: frame!.findIndex((byte, index) => byte !== other![index]) };
}

function overUdp(source: Source): Attack {
  return async (target) => {
    const make = await messages(target, source);
    const addr = { hostname: "127.0.0.1", port: target.port, transport: "udp" } as const;
    const open = (index: number): Deno.DatagramConn =>
      Deno.listenDatagram({ hostname: loopbackAddress(index), port: 0, transport: "udp" });
    const sockets = source === "random"
      ? Array.from({ length: NOISE_SOCKETS }, (_, i) => open(i))
      : [];
    await target.go();
    for (let index = 0; index < target.count; index++) {
      const bytes = make(index);
      const shared = sockets[index % NOISE_SOCKETS];
      const socket = shared ?? open(index);
      await socket.send(bytes, addr);
      if (shared === undefined) socket.close();
    }
    for (const socket of sockets) socket.close();
    return { sent: target.count };
  };
}

function overStreams(source: Source): Attack {
  return async (target) => {
    const make = await messages(target, source);
    const ws = target.address.startsWith("ws:");
    await target.go();
    const { sent, answers } = await floodConnections({
      port: target.port,
      count: target.count,
      parallel: CONNECTIONS,
      bytes: (index) => ws ? upgradeAnd(make(index)) : make(index),
    }, HOLD_MS);
    return { sent, answers };
  };
}

/** By name. */
export const HELLOS: Readonly<Record<string, Attack>> = {
  "udp-random": overUdp("random"),
  "udp-recorded": overUdp("recorded"),
  "udp-changed": overUdp("changed"),
  "udp-valid": overUdp("valid"),
  "stream-random": overStreams("random"),
  "stream-recorded": overStreams("recorded"),
  "stream-valid": overStreams("valid"),
};
