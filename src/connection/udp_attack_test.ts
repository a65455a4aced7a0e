import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import type { SessionRecord } from "../codec/records.ts";
import { DEFAULT_MAX_DATA, FRAME_CONTROL, FRAME_MAX_BODY, TAG_BYTES } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Protection } from "../session/protection.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import type { LinkAddress } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";
import { payloadOf } from "./forger_for_test.ts";

/** More frames than the dialler sends while the session opens. */
const USED_SEQUENCES = 200;
const ELSEWHERE: LinkAddress = { host: "192.0.2.77", port: 7777 };

interface Sent {
  readonly bytes: number;
  readonly sequence: number;
  readonly to: string;
}

/** The dialling side of a UDP session, taken over: it has the keys, and seals whatever it likes. */
class Attacker {
  readonly victim: Connection;
  readonly home: LinkAddress;
  /** What the victim sent since. */
  readonly sent: Sent[] = [];
  /** Bytes given, by source. */
  readonly given = new Map<string, number>();
  nowMs: number;
  readonly #protection: Protection;
  readonly #header = new FrameHeader();

  constructor() {
    const pair = new DatagramPair({ link: { delayMs: 10 } });
    const open = (): boolean => pair.a.state === "established" && pair.b?.state === "established";
    assert.ok(pair.run(open));
    pair.run(() => false, 1000);
    this.victim = pair.b ?? assert.fail();
    this.home = pair.link.address("a");
    this.nowMs = pair.clock.nowMs;
    const { i2r, r2i } = pair.traffic;
    const { suite, sessionId } = pair.a.session ?? assert.fail();
    this.#protection = new Protection({
      provider: nodeProvider(),
      suite,
      sessionId,
      sendSecret: i2r,
      recvSecret: r2i,
      reliable: false,
      nowMs: 0,
    });
    for (let count = 0; count < USED_SEQUENCES; count++) this.#seal({ type: "padding", count: 1 });
  }

  /** Gives a CONTROL frame to the victim and takes what it sends. */
  give(from: LinkAddress, ...records: SessionRecord[]): this {
    const frame = this.#seal(...records);
    const key = `${from.host}:${from.port}`;
    this.given.set(key, (this.given.get(key) ?? 0) + frame.length);
    this.victim.receive(frame, this.nowMs, from.host, from.port);
    this.victim.endOfBatch(this.nowMs);
    return this.take();
  }

  /** Lets time pass. */
  wait(ms: number): this {
    const end = this.nowMs + ms;
    for (;;) {
      this.take();
      const due = this.victim.nextTimeout() ?? Infinity;
      if (due > end) break;
      this.nowMs = Math.max(this.nowMs, due);
      this.victim.onTimeout(this.nowMs);
    }
    this.nowMs = end;
    return this;
  }

  take(): this {
    while (this.victim.nextEvent() !== undefined);
    for (;;) {
      const frame = this.victim.transmit(this.nowMs);
      if (frame === undefined) return this;
      parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, this.#header);
      const { host, port } = this.victim.target ?? assert.fail();
      const { sequence } = this.#header;
      this.sent.push({ bytes: frame.length, sequence, to: `${host}:${port}` });
    }
  }

  /** The highest sequence that the victim has sent. */
  get newest(): number {
    return this.sent.reduce((most, { sequence }) => Math.max(most, sequence), 0);
  }

  bytesTo({ host, port }: LinkAddress): number {
    return this.sent.filter(({ to }) => to === `${host}:${port}`)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #seal(...records: SessionRecord[]): Uint8Array {
    const payload = payloadOf(...records);
    const end = FRAME_HEADROOM + payload.length;
    const buffer = new Uint8Array(end + TAG_BYTES);
    buffer.set(payload, FRAME_HEADROOM);
    this.#protection.seal(buffer, FRAME_HEADROOM, end, FRAME_CONTROL, 0, 0, 0);
    return buffer.slice(this.#protection.frameStart, this.#protection.frameEnd);
  }
}

const ack = (largest: number): SessionRecord => ({
  type: "ack",
  largest,
  delayUs: 0,
  ranges: [[0, largest]],
});
const token = (value: number): Uint8Array => new Uint8Array(8).fill(value);
const PING: SessionRecord = { type: "ping", token: token(1) };

function writing(attacker: Attacker): void {
  const { streams } = attacker.victim;
  const id = streams.open(0) ?? assert.fail();
  streams.write(id, new Uint8Array(4 * DEFAULT_MAX_DATA));
  attacker.take();
}

test("acknowledging everything before it can have come buys no more than the credit given", () => {
  const attacker = new Attacker();
  writing(attacker);
  for (let round = 0; round < 3000; round++) {
    // A microsecond of round trip, as far as the victim can tell.
    attacker.nowMs += 0.001;
    attacker.give(attacker.home, ack(attacker.newest));
  }
  attacker.wait(5000);
  const bytes = attacker.bytesTo(attacker.home);
  assert.ok(bytes > 200_000, `${bytes} bytes: the attack does nothing`);
  assert.ok(bytes < 1.2 * DEFAULT_MAX_DATA, `${bytes} bytes`);
  assert.equal(attacker.victim.state, "established");
});

test("the next sequence that the victim will send cannot be acknowledged", () => {
  const attacker = new Attacker();
  writing(attacker);
  attacker.give(attacker.home, ack(attacker.newest));
  assert.equal(attacker.victim.state, "established");
  attacker.give(attacker.home, ack(attacker.newest + 1));
  assert.equal(attacker.victim.closeFacts?.error?.code, "PROTOCOL");
});

test("acknowledgements of what was acknowledged, and in any order, change nothing", () => {
  const attacker = new Attacker();
  attacker.give(attacker.home, PING);
  for (let count = 0; count < 500; count++) {
    attacker.give(attacker.home, ack(attacker.newest), ack(0), ack(attacker.newest));
  }
  const path = attacker.victim.stats().path ?? assert.fail();
  assert.ok(path.bytesInFlight >= 0);
  assert.equal(attacker.victim.state, "established");
});

test("path challenges from ever new sources get at most three times what brought them", () => {
  const attacker = new Attacker();
  for (let host = 1; host <= 100; host++) {
    const from = { host: `198.51.100.${host}`, port: 9 };
    attacker.give(
      from,
      ...Array.from(
        { length: 20 },
        (_, i) => ({ type: "pathChallenge", token: token(i) } as const),
      ),
    );
  }
  attacker.wait(10_000);
  let answered = 0;
  for (const [key, given] of attacker.given) {
    const [host, port] = key.split(":") as [string, string];
    const bytes = attacker.bytesTo({ host, port: Number(port) });
    if (bytes > 0) answered++;
    assert.ok(bytes <= 3 * given, `${key}: ${bytes} for ${given}`);
  }
  assert.ok(answered > 50, `${answered}`);
  assert.equal(attacker.victim.stats().migrations, 0);
});

test("answers to challenges that nobody made, or with a wrong token, move nothing", () => {
  const attacker = new Attacker();
  attacker.give(ELSEWHERE, PING);
  for (let value = 0; value < 200; value++) {
    attacker.give(ELSEWHERE, { type: "pathResponse", token: token(value) });
    attacker.give(attacker.home, { type: "pathResponse", token: token(value) });
  }
  attacker.wait(10_000);
  const asked = attacker.bytesTo(ELSEWHERE);
  const given = attacker.given.get(`${ELSEWHERE.host}:${ELSEWHERE.port}`) ?? 0;
  assert.ok(asked > 0 && asked <= 3 * given, `${asked} for ${given}`);
  assert.equal(attacker.victim.stats().migrations, 0);
});

test("who claims another's address is sent little there, however much waits to be sent", () => {
  const attacker = new Attacker();
  writing(attacker);
  const before = attacker.bytesTo(ELSEWHERE);
  for (let count = 0; count < 50; count++) {
    attacker.give(ELSEWHERE, PING, ack(attacker.newest));
    attacker.wait(200);
  }
  const bytes = attacker.bytesTo(ELSEWHERE) - before;
  const given = attacker.given.get(`${ELSEWHERE.host}:${ELSEWHERE.port}`) ?? 0;
  assert.ok(bytes > 0 && bytes <= 3 * given, `${bytes} for ${given}`);
  assert.equal(attacker.victim.stats().migrations, 0);
});
