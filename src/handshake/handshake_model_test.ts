import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../codec/hex.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Prng } from "../testing/prng.ts";
import { modelRuns, withoutNonceReuse } from "../testing/model_for_test.ts";
import { seededProvider } from "../testing/seeded_provider.ts";
import type { Acceptor } from "./acceptor.ts";
import { dial, flipped, listen, provider } from "./fixture_test.ts";
import type { Initiator } from "./initiator.ts";
import { decodeMessage } from "./messages.ts";
import type { HandshakeSource, PendingSession } from "./types.ts";

const MAX_DIALS = 4;
const HANDSHAKE_MS = 10_000;
/** A HELLO whose version was changed on the way gets a RETRY, and the dial starts over with another nonce, twice. */
const HELLOS_PER_DIAL = 3;

interface Frame {
  readonly bytes: Uint8Array;
  /** Index of the dial it goes to; undefined: to the listener. */
  readonly to: number | undefined;
  readonly from: HandshakeSource;
}

/** One dial, as the model sees it. */
interface Dial {
  phase: Initiator["phase"];
  readonly startMs: number;
  /** Sessions that the listener offered for it, by id: at most one. */
  readonly offered: Set<string>;
  /** The listener's decision about it. */
  decided: "open" | "accepted" | "refused";
}

interface Model {
  readonly dials: Dial[];
}

/** Any number of dials, one listener, and whatever is on its way between them. */
class Real {
  readonly provider: CryptoProvider;
  readonly acceptor: Acceptor;
  readonly initiators: Initiator[] = [];
  readonly network: Frame[] = [];
  readonly pending: {
    readonly dial: number;
    readonly session: PendingSession;
    readonly from: HandshakeSource;
  }[] = [];
  loaded = false;
  nowMs = 0;

  constructor(seed: number) {
    this.provider = withoutNonceReuse(seededProvider(provider, new Prng(seed)));
    const limits = { handshakeRate: Infinity, underLoad: () => this.loaded };
    this.acceptor = listen({ provider: this.provider, ...limits });
  }

  source(index: number, port = 4000): HandshakeSource {
    return { host: `192.0.2.${index + 1}`, port, reliable: false };
  }

  /** Everything that is due is on its way. */
  flush(): void {
    for (const [index, initiator] of this.initiators.entries()) {
      for (
        let bytes = initiator.transmit(this.nowMs);
        bytes;
        bytes = initiator.transmit(this.nowMs)
      ) {
        this.network.push({ bytes, to: undefined, from: this.source(index) });
      }
    }
  }

  /** The dial whose session this is: a session id is known to its initiator alone. */
  dialOf(sessionId: Uint8Array): number {
    const id = toHex(sessionId);
    return this.initiators.findIndex(({ session }) => session && toHex(session.sessionId) === id);
  }
}

const ORDER = ["hello", "proof", "done", "failed"];

function give(model: Model, real: Real, { bytes, to, from }: Frame): void {
  if (to !== undefined) {
    real.initiators[to]!.receive(bytes, real.nowMs);
  } else {
    const result = real.acceptor.receive(bytes, from, real.nowMs);
    if (result.kind === "send") {
      const index = Number(from.host.split(".")[3]) - 1;
      real.network.push({ bytes: result.frame, to: index, from });
    }
    if (result.kind === "session") {
      const index = real.dialOf(result.pending.session.sessionId);
      const one = model.dials[index] ?? assert.fail("a session of nobody");
      one.offered.add(toHex(result.pending.session.sessionId));
      assert.equal(one.offered.size, 1, "two sessions out of one dial");
      assert.equal(result.pending.refusal, undefined);
      real.pending.push({ dial: index, session: result.pending, from });
    }
  }
  real.flush();
  look(model, real);
}

/** What holds after every command. */
function look(model: Model, real: Real): void {
  for (const [index, one] of model.dials.entries()) {
    const initiator = real.initiators[index]!;
    const { phase } = initiator;
    assert.ok(ORDER.indexOf(phase) >= ORDER.indexOf(one.phase), `from ${one.phase} to ${phase}`);
    if (phase === "done") assert.equal(one.decided, "accepted", "done without the listener's yes");
    if (phase === "failed") {
      assert.equal(initiator.failure?.code, "HANDSHAKE_TIMEOUT");
      assert.ok(real.nowMs - one.startMs >= HANDSHAKE_MS, "it gives up early");
    }
    one.phase = phase;
  }
  const most = HELLOS_PER_DIAL * model.dials.length;
  assert.ok(real.acceptor.halfOpenCount <= most, "half-open handshakes of nobody");
}

type Command = fc.Command<Model, Real>;

function command(
  text: string,
  run: (model: Model, real: Real) => void,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return { check, run, toString: () => text };
}

const dialAnew = fc.constant(command("dial", (model, real) => {
  const startMs = real.nowMs;
  real.initiators.push(dial({ provider: real.provider, timeoutMs: HANDSHAKE_MS }, startMs));
  model.dials.push({ phase: "hello", startMs, offered: new Set(), decided: "open" });
  real.flush();
}, ({ dials }) => dials.length < MAX_DIALS));

const faults = fc.constantFrom(
  "deliver",
  "deliver",
  "deliver",
  "twice",
  "drop",
  "forge",
  "elsewhere",
);
const move = fc.tuple(fc.nat(100), faults, fc.nat(1000)).map(([pick, how, place]) =>
  command(`${how}(${pick}, ${place})`, (model, real) => {
    const index = pick % Math.max(1, real.network.length);
    const frame = real.network[index];
    if (frame === undefined) return;
    if (how !== "twice" && how !== "forge") real.network.splice(index, 1);
    if (how === "drop") return;
    if (how === "elsewhere") {
      // The address takes no part: the answer goes where the message came from, another port of the same host.
      return give(model, real, { ...frame, from: { ...frame.from, port: 4001 + place } });
    }
    if (how !== "forge") return give(model, real, frame);
    forge(model, real, frame, place);
  })
);

/** A bit flipped: no session comes of it, and no dial moves on. HELLO's cookie alone is free where none is asked for. */
function forge(model: Model, real: Real, frame: Frame, place: number): void {
  const before = real.initiators.map(({ phase }) => phase);
  const sessions = real.pending.length;
  give(model, real, {
    ...frame,
    bytes: flipped(frame.bytes, place % frame.bytes.length, 1 << place % 8),
  });
  assert.deepEqual(real.initiators.map(({ phase }) => phase), before, "a forgery moves a dial");
  assert.equal(real.pending.length, sessions, "a forgery opens a session");
}

const decide = fc.tuple(fc.nat(10), fc.boolean()).map(([pick, yes]) =>
  command(`${yes ? "accept" : "refuse"}(${pick})`, (model, real) => {
    const index = pick % Math.max(1, real.pending.length);
    const [entry] = real.pending.splice(index, 1);
    if (entry === undefined) return;
    const one = model.dials[entry.dial]!;
    if (!yes) {
      one.decided = "refused";
      return real.acceptor.refuse(entry.session, real.nowMs);
    }
    one.decided = "accepted";
    const bytes = real.acceptor.accept(entry.session, real.nowMs);
    real.network.push({ bytes, to: entry.dial, from: entry.from });
    const { secrets } = entry.session.session;
    const theirs = real.initiators[entry.dial]!.session?.secrets ?? assert.fail("no secrets");
    assert.equal(toHex(theirs.i2r), toHex(secrets.i2r));
    assert.equal(toHex(theirs.r2i), toHex(secrets.r2i));
    assert.equal(toHex(theirs.final), toHex(secrets.final));
  })
);

const wait = fc.constantFrom(1, 150, 1000, 3000, 11_000).map((ms) =>
  command(`wait(${ms})`, (model, real) => {
    real.nowMs += ms;
    real.acceptor.onTimeout(real.nowMs);
    for (const initiator of real.initiators) {
      const due = initiator.nextTimeout();
      if (due !== undefined && due <= real.nowMs) initiator.onTimeout(real.nowMs);
    }
    real.flush();
    look(model, real);
  })
);

const load = fc.boolean().map((on) =>
  command(`underLoad(${on})`, (_model, real) => {
    real.loaded = on;
  })
);

/** From now on the network is good and the listener agreeable: each dial that was not refused comes to its end. */
function conclude(model: Model, real: Real): void {
  for (let step = 0; step < 400; step++) {
    for (const frame of real.network.splice(0)) give(model, real, frame);
    for (const { dial: index, session, from } of real.pending.splice(0)) {
      model.dials[index]!.decided = "accepted";
      const bytes = real.acceptor.accept(session, real.nowMs);
      real.network.push({ bytes, to: index, from });
    }
    real.nowMs += 50;
    real.acceptor.onTimeout(real.nowMs);
    for (const initiator of real.initiators) {
      if ((initiator.nextTimeout() ?? Infinity) <= real.nowMs) initiator.onTimeout(real.nowMs);
    }
    real.flush();
    look(model, real);
  }
  for (const { phase } of model.dials) assert.ok(phase === "done" || phase === "failed", phase);
  assert.equal(real.acceptor.halfOpenCount, 0, "half-open handshakes stay");
  assert.equal(real.acceptor.nextTimeout(), undefined, "something waits for its time");
}

const commands = fc.commands([dialAnew, move, move, move, move, decide, wait, load], {
  maxCommands: 60,
  size: "max",
});

test("model: dials over a network that loses, repeats, reorders and forges", () => {
  let done = 0;
  fc.assert(
    fc.property(commands, fc.nat(1000), (list, seed) => {
      const model: Model = { dials: [] };
      const real = new Real(seed);
      fc.modelRun(() => ({ model, real }), list);
      conclude(model, real);
      done += model.dials.filter(({ phase }) => phase === "done").length;
      for (const initiator of real.initiators) assert.ok(initiator.openNonce === undefined);
    }),
    { numRuns: modelRuns(60) },
  );
  assert.ok(done > 20, `only ${done} dials succeeded`);
});

test("model: the messages of a dial are those of SPEC 6, whatever is repeated", () => {
  const real = new Real(7);
  const model: Model = { dials: [] };
  const names: string[] = [];
  fc.modelRun(() => ({ model, real }), [fc.sample(dialAnew, 1)[0]!]);
  while (real.network.length > 0 || real.pending.length > 0) {
    for (const frame of real.network.splice(0)) {
      names.push(decodeMessage(frame.bytes).type);
      give(model, real, frame);
      give(model, real, frame);
    }
    for (const { dial: index, session, from } of real.pending.splice(0)) {
      model.dials[index]!.decided = "accepted";
      const bytes = real.acceptor.accept(session, real.nowMs);
      real.network.push({ bytes, to: index, from });
    }
  }
  assert.equal(model.dials[0]!.phase, "done");
  assert.deepEqual(names, ["HELLO", "RESPONSE", "RESPONSE", "AUTH_PROOF", "FINAL"]);
});
