import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../codec/hex.ts";
import { seedKeys } from "../crypto/key_schedule.ts";
import type { SttValue } from "../codec/values.ts";
import { Acceptor } from "./acceptor.ts";
import { makeCookie } from "./cookie.ts";
import {
  answered,
  offered,
  provider,
  readVectors,
  sent,
  type Typed,
  untyped,
  untypedDict,
} from "./fixture_test.ts";
import { Initiator } from "./initiator.ts";
import { decodeMessage, encodeMessage, messageValue, type Retry } from "./messages.ts";
import { DEFAULT_TRANSPORT_PARAMETERS } from "./parameters.ts";
import { encodeRetry, retryVerifies } from "./retry.ts";
import type {
  AcceptorConfig,
  HandshakeSource,
  InitiatorConfig,
  TransportParameters,
} from "./types.ts";

type MessageName = "HELLO" | "RESPONSE" | "AUTH_PROOF" | "FINAL";

interface Side {
  static_private: string;
  node_id: string;
  alias: string;
  ephemeral_private: string;
  suites: number[];
  payload: Record<string, Typed>;
}

interface CookieInputs {
  secret: string;
  ip: string;
  port: number;
  nonce?: string;
  minute?: number;
  cookie?: string;
}

interface Refusal {
  message: MessageName;
  note: string;
  frame: string;
  expect: string;
  answer?: string;
  listener_suites?: number[];
  listener_seeds?: string[];
  now_ms?: string;
  cookie?: CookieInputs;
}

interface Case {
  name: string;
  suite: number;
  shared_seed: string;
  listener_seeds: string[];
  pair_key: string | null;
  times: { hello: string; response: string; auth_proof: string; final: string };
  hello_extra: Record<string, Typed>;
  cookie: string | null;
  initiator: Side;
  responder: Side;
  messages: Record<MessageName, { fields: Record<string, Typed>; value: string; frame: string }>;
  derived: Record<string, string>;
  export: { label: string; context: string; length: number; output: string };
  parameters: Record<"seen_by_initiator" | "seen_by_responder", Record<string, Typed>>;
  retry?: { frame: string };
  refusals?: Refusal[];
}

interface RetryVector {
  code?: number;
  shared_seed: string;
  retry_key: string;
  fields: Record<string, Typed>;
  value: string;
  frame: string;
  cookie?: Required<CookieInputs>;
}

const vectors = readVectors<{ cases: Case[]; retries: RetryVector[] }>("stt1/handshake.json");
const FROM: HandshakeSource = { host: "198.51.100.9", port: 4780, reliable: false };

const WIRE_NAMES: Record<string, keyof TransportParameters> = {
  capabilities: "capabilities",
  max_idle: "maxIdle",
  max_data: "maxData",
  max_stream_data: "maxStreamData",
  max_streams: "maxStreams",
  max_datagram: "maxDatagram",
  max_frame: "maxFrame",
  max_udp: "maxUdp",
  ack_delay: "ackDelay",
  ack_every: "ackEvery",
  reset: "reset",
  migrate: "migrate",
  app: "app",
};

function parametersOf(payload: Record<string, Typed>): TransportParameters {
  const parameters: Record<string, unknown> = { ...DEFAULT_TRANSPORT_PARAMETERS };
  const extra = new Map<string, SttValue>();
  for (const [key, value] of untypedDict(payload)) {
    if (["version", "versions", "suite", "suites"].includes(key)) continue;
    const name = WIRE_NAMES[key];
    if (name === undefined) extra.set(key, value);
    else parameters[name] = value;
  }
  if (extra.size > 0) parameters.extra = extra;
  return parameters as unknown as TransportParameters;
}

function timestampOf(times: Case["times"]): (message: string) => number {
  return (message) => Number(times[message.toLowerCase() as keyof Case["times"]]);
}

function initiatorOf(vector: Case, overrides: Partial<InitiatorConfig> = {}): Initiator {
  const { initiator: side } = vector;
  return new Initiator({
    provider,
    reliable: false,
    seedKeys: seedKeys(provider, fromHex(vector.shared_seed)),
    staticKey: provider.x25519(fromHex(side.static_private)),
    ...(vector.pair_key === null ? {} : { pairKey: fromHex(vector.pair_key) }),
    expect: fromHex(vector.responder.node_id),
    parameters: parametersOf(side.payload),
    suites: side.suites,
    timeoutMs: 10_000,
    unixOffsetMs: 0,
    helloExtra: untypedDict(vector.hello_extra),
    injection: {
      ephemeral: () => provider.x25519(fromHex(side.ephemeral_private)),
      nodeIdAlias: () => fromHex(side.alias),
      timestamp: timestampOf(vector.times),
    },
    ...overrides,
  }, 0);
}

function acceptorOf(vector: Case, overrides: Partial<AcceptorConfig> = {}): Acceptor {
  const { responder: side } = vector;
  return new Acceptor({
    provider,
    seeds: vector.listener_seeds.map((seed) => seedKeys(provider, fromHex(seed))),
    staticKey: provider.x25519(fromHex(side.static_private)),
    ...(vector.pair_key === null ? {} : { pairKey: fromHex(vector.pair_key) }),
    parameters: parametersOf(side.payload),
    suites: side.suites,
    handshakeRate: Infinity,
    unixOffsetMs: Number(vector.times.response),
    injection: {
      ephemeral: () => provider.x25519(fromHex(side.ephemeral_private)),
      nodeIdAlias: () => fromHex(side.alias),
      timestamp: timestampOf(vector.times),
    },
    ...overrides,
  }, 0);
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes);
}

function without(parameters: TransportParameters): TransportParameters {
  const { extra: _extra, ...known } = parameters;
  return known;
}

for (const vector of vectors.cases) {
  test(`vectors: ${vector.name}: every message byte for byte, and the keys`, () => {
    const { messages, derived } = vector;
    const initiator = initiatorOf(vector);
    const acceptor = acceptorOf(vector);
    if (vector.retry !== undefined) {
      sent(initiator, 0);
      initiator.receive(fromHex(vector.retry.frame), 1);
    }
    const hello = sent(initiator, 1);
    assert.equal(toHex(hello), messages.HELLO.frame);
    const response = answered(acceptor, hello, 2, FROM);
    assert.equal(toHex(response), messages.RESPONSE.frame);
    initiator.receive(response, 3);
    assert.equal(initiator.phase, "proof", initiator.failure?.message);
    const proof = sent(initiator, 3);
    assert.equal(toHex(proof), messages.AUTH_PROOF.frame);
    const pending = offered(acceptor, proof, 4, FROM);
    assert.equal(pending.refusal, undefined);
    const final = acceptor.accept(pending, 5);
    assert.equal(toHex(final), messages.FINAL.frame);
    initiator.receive(final, 6);
    assert.equal(initiator.phase, "done");

    for (const session of [initiator.session, pending.session]) {
      assert.ok(session !== undefined);
      assert.equal(toHex(session.sessionId), derived.session_id);
      assert.equal(toHex(session.secrets.i2r), derived.traffic_i2r);
      assert.equal(toHex(session.secrets.r2i), derived.traffic_r2i);
      assert.equal(toHex(session.secrets.final), derived.final);
      assert.equal(toHex(session.secrets.exporter), derived.exporter);
      assert.equal(toHex(session.secrets.handshakeHash), derived.h_3);
      assert.equal(session.suite, vector.suite);
      assert.equal(session.peer.pairKey, vector.pair_key !== null);
      const { label, context, length, output } = vector.export;
      assert.equal(toHex(session.secrets.export(label, fromHex(context), length)), output);
    }
    assert.equal(hex(initiator.session?.peer.nodeId), vector.responder.node_id);
    assert.equal(initiator.session?.peer.pinned, true);
    assert.equal(toHex(pending.session.peer.nodeId), vector.initiator.node_id);
    assert.equal(
      pending.session.peer.seedIndex,
      vector.listener_seeds.indexOf(vector.shared_seed),
    );
    assert.deepEqual(
      without(initiator.session!.peer.parameters),
      parametersOf(vector.parameters.seen_by_initiator),
    );
    assert.deepEqual(
      without(pending.session.peer.parameters),
      parametersOf(vector.parameters.seen_by_responder),
    );
  });

  test(`vectors: ${vector.name}: messages decode and encode to the same bytes`, () => {
    for (const { fields, value, frame } of Object.values(vector.messages)) {
      const dict = untypedDict(fields);
      assert.equal(toHex(messageValue(dict)), value);
      assert.equal(toHex(encodeMessage(dict)), frame);
      const message = decodeMessage(fromHex(frame));
      assert.ok(message.type !== "refused");
      assert.deepEqual(new Map([...message.fields].sort()), new Map([...dict].sort()));
    }
  });
}

// "encoding" of the file is any value that is not canonical, too deep or too long; the rest are our own names.
function refuse(vector: Case, refusal: Refusal): void {
  const { messages } = vector;
  const frame = fromHex(refusal.frame);
  if (refusal.message === "HELLO" || refusal.message === "AUTH_PROOF") {
    refuseAtAcceptor(vector, refusal, frame);
    return;
  }
  const initiator = initiatorOf(vector);
  sent(initiator, 0);
  if (refusal.message === "FINAL") {
    initiator.receive(fromHex(messages.RESPONSE.frame), 1);
    assert.equal(toHex(sent(initiator, 1)), messages.AUTH_PROOF.frame);
  }
  const phase = initiator.phase;
  initiator.receive(frame, 2);
  assert.deepEqual([...initiator.drops], [[refusal.expect, 1]]);
  assert.equal(initiator.phase, phase);
  assert.equal(initiator.transmit(2), undefined);
  initiator.receive(fromHex(messages[refusal.message].frame), 3);
  assert.equal(initiator.phase, phase === "hello" ? "proof" : "done");

  const reliable = initiatorOf(vector, { reliable: true });
  sent(reliable, 0);
  if (refusal.message === "FINAL") {
    reliable.receive(fromHex(messages.RESPONSE.frame), 1);
    sent(reliable, 1);
  }
  reliable.receive(frame, 2);
  assert.equal(reliable.phase, "failed");
  assert.ok(["PROTOCOL", "CRYPTO", "SUITE"].includes(reliable.failure?.code ?? ""));
}

function refuseAtAcceptor(vector: Case, refusal: Refusal, frame: Uint8Array): void {
  const { messages } = vector;
  const overrides: Partial<AcceptorConfig> = {
    ...(refusal.listener_suites === undefined ? {} : { suites: refusal.listener_suites }),
    ...(refusal.listener_seeds === undefined
      ? {}
      : { seeds: refusal.listener_seeds.map((seed) => seedKeys(provider, fromHex(seed))) }),
    ...(refusal.now_ms === undefined ? {} : { unixOffsetMs: Number(refusal.now_ms) }),
    ...(refusal.cookie === undefined
      ? {}
      : { injection: { cookieSecret: () => fromHex(refusal.cookie!.secret) } }),
  };
  const acceptor = acceptorOf(vector, overrides);
  const from = refusal.cookie === undefined
    ? FROM
    : { ...FROM, host: ipText(refusal.cookie.ip), port: refusal.cookie.port };
  if (refusal.message === "AUTH_PROOF") {
    answered(acceptor, fromHex(messages.HELLO.frame), 0, from);
  }
  const result = acceptor.receive(frame, from, 1);
  if (refusal.expect === "retry") {
    assert.equal(result.kind, "send");
    assert.equal(toHex((result as { frame: Uint8Array }).frame), refusal.answer);
  } else {
    assert.deepEqual(result, { kind: "drop", reason: refusal.expect });
  }
  assert.equal(acceptor.halfOpenCount, refusal.message === "HELLO" ? 0 : 1);
  if (Object.keys(overrides).length > 0) return;
  const genuine = acceptor.receive(fromHex(messages[refusal.message].frame), from, 2);
  assert.equal(genuine.kind, refusal.message === "HELLO" ? "send" : "session");
}

function ipText(ip: string): string {
  const bytes = [...fromHex(ip)];
  if (bytes.length === 4) return bytes.join(".");
  const words = Array.from({ length: 8 }, (_, index) => ip.slice(index * 4, index * 4 + 4));
  return words.join(":");
}

for (const vector of vectors.cases) {
  for (const refusal of vector.refusals ?? []) {
    test(`vectors: ${vector.name}: ${refusal.message} refused: ${refusal.note}`, () => {
      refuse(vector, refusal);
    });
  }
}

for (const [index, vector] of vectors.retries.entries()) {
  const { cookie } = vector;
  if (cookie !== undefined) {
    test(`vectors: cookie ${index}`, () => {
      const address = { host: ipText(cookie.ip), port: cookie.port };
      const made = makeCookie(
        provider,
        fromHex(cookie.secret),
        address,
        fromHex(cookie.nonce),
        cookie.minute,
      );
      assert.equal(toHex(made), cookie.cookie);
    });
  }
  if (vector.code === undefined) continue;
  test(`vectors: RETRY code ${vector.code}`, () => {
    const keys = seedKeys(provider, fromHex(vector.shared_seed));
    assert.equal(toHex(keys.retryKey), vector.retry_key);
    const fields = untypedDict(vector.fields);
    assert.equal(toHex(messageValue(fields)), vector.value);
    const retry = decodeMessage(fromHex(vector.frame)) as Retry;
    assert.equal(retry.type, "RETRY");
    assert.equal(retryVerifies(provider, keys.retryKey, retry), true);
    const made = encodeRetry(provider, keys.retryKey, retry.nonce, {
      code: Number(retry.code),
      cookie: retry.cookie,
      versions: retry.versions.map(Number),
      suites: retry.suites.map(Number),
    });
    assert.equal(toHex(made), vector.frame);
    assert.deepEqual(untyped(vector.fields.code as Typed), retry.code);
  });
}
