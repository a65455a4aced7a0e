import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { ticketKeys } from "../crypto/tickets.ts";
import { staticKey } from "../crypto/key_schedule.ts";
import { answered, dial, listen, provider, seed, sent, tcp, UDP } from "./fixture_test.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Initiator } from "./initiator.ts";
import { ticketRefusal } from "./resumption.ts";
import type {
  DialTicket,
  HandshakeSource,
  HeldTicket,
  InitiatorConfig,
  PendingSession,
  TicketKeeper,
} from "./types.ts";

const RESPONDER = staticKey(provider, new Uint8Array(32).fill(0x22)).publicKey;
const INITIATOR = staticKey(provider, new Uint8Array(32).fill(0x11)).publicKey;
const ID = new Uint8Array(16).fill(0x71);
const SECRET = new Uint8Array(32).fill(0x72);

/** The plainest keeper there is, and what it was asked. */
class Keeper implements TicketKeeper {
  readonly kept: Map<string, HeldTicket> = new Map();
  readonly taken: string[] = [];

  constructor(nodeId: Uint8Array = INITIATOR) {
    this.kept.set(toHex(ID), {
      secret: SECRET.slice(),
      nodeId,
      seed: seed(1).seedId(new Uint8Array(32)),
      owner: "one",
    });
  }

  find(id: Uint8Array): HeldTicket | undefined {
    return this.kept.get(toHex(id));
  }

  take(id: Uint8Array): boolean {
    this.taken.push(toHex(id));
    return this.kept.delete(toHex(id));
  }
}

function ticket(overrides: Partial<DialTicket> = {}): DialTicket {
  return { id: ID, secret: SECRET, nodeId: RESPONDER, ...overrides };
}

/** Takes a handshake as far as the responder's judgement of AUTH_PROOF. */
function prove(
  initiator: Initiator,
  acceptor: Acceptor,
  from: HandshakeSource = UDP,
): PendingSession {
  initiator.receive(answered(acceptor, sent(initiator, 0), 0, from), 1);
  const result = acceptor.receive(sent(initiator, 1), from, 1);
  assert.equal(result.kind, "session", JSON.stringify(result));
  return (result as { pending: PendingSession }).pending;
}

function finish(initiator: Initiator, acceptor: Acceptor, pending: PendingSession): void {
  initiator.receive(acceptor.accept(pending, 2), 3);
  assert.equal(initiator.phase, "done");
}

test("SPEC 15.2: a ticket resumes, and both sides know which", () => {
  for (const from of [UDP, tcp("connection")]) {
    const keeper = new Keeper();
    const acceptor = listen({ tickets: keeper });
    const initiator = dial({ ticket: ticket(), reliable: from.reliable });
    const pending = prove(initiator, acceptor, from);
    finish(initiator, acceptor, pending);
    assert.deepEqual(pending.session.resumed, { id: ID, owner: "one" });
    assert.deepEqual(initiator.session?.resumed, { id: ID });
    assert.deepEqual(keeper.taken, [toHex(ID)]);
  }
});

test("SPEC 15.2: fresh keys: two sessions of one ticket's secret have nothing in common", () => {
  const exporters = [0, 1].map(() => {
    const acceptor = listen({ tickets: new Keeper() });
    const initiator = dial({ ticket: ticket() });
    finish(initiator, acceptor, prove(initiator, acceptor));
    return toHex(initiator.session!.secrets.exporter);
  });
  assert.notEqual(exporters[0], exporters[1]);
});

test("SPEC 15.2: whoever does not know the ticket goes on without it, if the dial may", () => {
  const acceptor = listen({ tickets: new Keeper() });
  const other = ticket({ id: new Uint8Array(16), required: false });
  const initiator = dial({ ticket: other });
  const pending = prove(initiator, acceptor);
  finish(initiator, acceptor, pending);
  assert.equal(initiator.session?.resumed, undefined);
  assert.equal(pending.session.resumed, undefined);
});

test("SPEC 15.2: a dial that needs its ticket ends before it shows who it is", () => {
  for (const acceptor of [listen(), listen({ tickets: new Keeper() })]) {
    const initiator = dial({ ticket: ticket({ id: new Uint8Array(16) }) });
    initiator.receive(answered(acceptor, sent(initiator, 0), 0), 1);
    assert.equal(initiator.failure?.code, "TICKET");
    assert.equal(initiator.transmit(1), undefined);
  }
});

test("SPEC 15.2: a listener that resumes what nobody asked for is refused", () => {
  assert.equal(ticketRefusal(provider, undefined, RESPONDER, false), undefined);
  assert.equal(
    ticketRefusal(provider, undefined, RESPONDER, true)?.code,
    "TRANSPORT_PARAMETER",
  );
});

test("SPEC 15.2: the ticket is a pin", () => {
  const elsewhere = listen({ staticKey: staticKey(provider, new Uint8Array(32).fill(0x33)) });
  const initiator = dial({ ticket: ticket({ required: false }) });
  initiator.receive(answered(elsewhere, sent(initiator, 0), 0), 1);
  assert.equal(initiator.failure?.code, "PEER_IDENTITY");
});

test("SPEC 15.2: used by another handshake since HELLO: TICKET under the session keys", () => {
  const keeper = new Keeper();
  const acceptor = listen({ tickets: keeper });
  const [first, second] = [dial({ ticket: ticket() }), dial({ ticket: ticket() })];
  for (const one of [first, second]) one.receive(answered(acceptor, sent(one, 0), 0), 1);
  const outcomes = [first, second].map((one) => {
    const result = acceptor.receive(sent(one, 1), UDP, 1);
    return result.kind === "session" ? result.pending.refusal?.code : result.kind;
  });
  assert.deepEqual(outcomes, [undefined, "TICKET"]);
});

test("SPEC 15.2: a stolen ticket is worth nothing without its node's key, and is spent", () => {
  const keeper = new Keeper();
  const acceptor = listen({ tickets: keeper });
  const thief = staticKey(provider, new Uint8Array(32).fill(0x44));
  const pending = prove(dial({ ticket: ticket(), staticKey: thief }), acceptor);
  assert.equal(pending.refusal?.code, "PEER_IDENTITY");
  assert.equal(keeper.kept.size, 0);
});

test("SPEC 15.2: a guessed secret spends nothing", () => {
  const keeper = new Keeper();
  const acceptor = listen({ tickets: keeper });
  const guess = dial({ ticket: ticket({ secret: new Uint8Array(32) }) });
  guess.receive(answered(acceptor, sent(guess, 0), 0), 1);
  const result = acceptor.receive(sent(guess, 1), UDP, 1);
  assert.deepEqual(result, { kind: "drop", reason: "crypto" });
  assert.deepEqual(keeper.taken, []);
});

test("SPEC 15.2: pair keys count in a resumption as well", () => {
  const pairKey = new Uint8Array(32).fill(9);
  const both: [Partial<InitiatorConfig>, Uint8Array | undefined][] = [
    [{ pairKey }, undefined],
    [{}, pairKey],
  ];
  for (const [overrides, theirs] of both) {
    const acceptor = listen({
      tickets: new Keeper(),
      ...(theirs === undefined ? {} : { pairKey: theirs }),
    });
    const initiator = dial({ ticket: ticket(), ...overrides });
    initiator.receive(answered(acceptor, sent(initiator, 0), 0), 1);
    assert.equal(acceptor.receive(sent(initiator, 1), UDP, 1).kind, "drop");
  }
  const acceptor = listen({ tickets: new Keeper(), pairKey });
  const initiator = dial({ ticket: ticket(), pairKey });
  finish(initiator, acceptor, prove(initiator, acceptor));
});

test("SPEC 15.1: a ticket of one seed is unknown under another of the listener's", () => {
  for (const [fill, code] of [[1, undefined], [2, "TICKET"]] as const) {
    const acceptor = listen({ tickets: new Keeper(), seeds: [seed(1), seed(2)] });
    const initiator = dial({ ticket: ticket(), seedKeys: seed(fill) });
    initiator.receive(answered(acceptor, sent(initiator, 0), 0), 1);
    assert.equal(initiator.failure?.code, code);
  }
});

test("SPEC 15.2: HELLOs with one ticket cannot be told apart from HELLOs with others", () => {
  const hellos = [0, 1].map(() => toHex(sent(dial({ ticket: ticket() }), 0)));
  const plain = toHex(sent(dial(), 0));
  assert.equal(hellos[0]?.length, hellos[1]?.length);
  assert.ok(hellos.every((hello) => !hello.includes(toHex(ID)) && hello.length > plain.length));
});

test("SPEC 15.1: tickets of a session differ, and both sides derive the same", () => {
  const acceptor = listen();
  const initiator = dial();
  const { session } = prove(initiator, acceptor);
  const [ours, theirs] = [initiator.session!.secrets, session.secrets].map(({ exporter }) =>
    [0, 1, 2, 3].map((number) => ticketKeys(provider, exporter, number))
  );
  assert.deepEqual(ours, theirs);
  const all = ours!.flatMap(({ id, secret }) => [toHex(id), toHex(secret)]);
  assert.equal(new Set(all).size, 8);
});
