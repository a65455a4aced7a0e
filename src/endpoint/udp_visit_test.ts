import { test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect } from "./connect.ts";
import { listen } from "./listener.ts";
import type { Peer } from "./peer.ts";
import { tampering } from "./tampering_for_test.ts";

const REQUEST = new Uint8Array(64).fill(1);
const REPLY = new Uint8Array(64).fill(2);

/** Sizes of the datagrams of one visit, each with the side that sent it. */
async function visit(early: boolean): Promise<string[]> {
  const seed = randomBytes(32);
  const sent: string[] = [];
  const watched = (side: string) =>
    tampering((datagram) => {
      sent.push(side + datagram.length);
      return [datagram];
    });
  const listener = await listen("udp://127.0.0.1:0", { seed, transports: [watched("listener ")] });
  const served = (async () => {
    const peer = await listener.nextPeer();
    const stream = await peer!.acceptStream();
    assert.deepEqual(await stream!.read(), REQUEST);
    stream!.tryWrite(REPLY, true);
    assert.equal((await peer!.closed).error, undefined);
  })();
  let reply: Promise<Uint8Array | null> | undefined;
  const ask = async (peer: Peer): Promise<Uint8Array | null> => {
    const stream = await peer.openStream();
    stream.tryWrite(REQUEST, true);
    return await stream.read();
  };
  const peer = await connect(listener.address, {
    seed,
    transports: [watched("dialler ")],
    ...(early ? { early: (peer: Peer) => void (reply = ask(peer)) } : {}),
  });
  assert.deepEqual(await (reply ?? ask(peer)), REPLY);
  await peer.close();
  await served;
  await listener.close();
  return sent;
}

/** The shortest of some visits: in others the machine may have been so slow that something was repeated. */
async function shortestVisit(early: boolean): Promise<string[]> {
  let shortest: string[] | undefined;
  for (let count = 0; count < 8; count++) {
    const sent = await visit(early);
    if (shortest === undefined || sent.length < shortest.length) shortest = sent;
  }
  return shortest!;
}

test("udp: what belongs together shares a datagram: a visit takes eight", async () => {
  const sent = await shortestVisit(false);
  const sides = sent.map((each) => each.split(" ")[0]);
  // HELLO, RESPONSE, AUTH_PROOF, FINAL and PING, the request, the reply, SESSION_CLOSE of either side.
  const turn = ["dialler", "listener"];
  assert.deepEqual(sides, [...turn, ...turn, ...turn, ...turn], sent.join(", "));
});

test("udp: a visit whose request goes with AUTH_PROOF takes six", async () => {
  const sent = await shortestVisit(true);
  const sides = sent.map((each) => each.split(" ")[0]);
  const turn = ["dialler", "listener"];
  assert.deepEqual(sides, [...turn, ...turn, ...turn], sent.join(", "));
  const total = sent.reduce((sum, each) => sum + Number(each.split(" ")[1]), 0);
  assert.ok(total < 1700, `${total} bytes: ${sent.join(", ")}`);
});
