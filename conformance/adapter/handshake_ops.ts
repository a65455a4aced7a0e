/** The scripted sides of a handshake over `src/handshake`, on an unreliable transport. @module */
import { encodeValue, fromHex, type SttValue, toHex } from "../../src/codec/mod.ts";
import { type CryptoProvider, seedKeys, staticKey } from "../../src/crypto/mod.ts";
import { Acceptor } from "../../src/handshake/acceptor.ts";
import { Initiator } from "../../src/handshake/initiator.ts";
import {
  encodeParameters,
  negotiation,
  transportParameters,
} from "../../src/handshake/parameters.ts";
import { judgePayload } from "../../src/handshake/peer_payload.ts";
import type {
  HandshakeSession,
  PendingSession,
  TransportParameters,
} from "../../src/handshake/types.ts";
import { TicketTable } from "../../src/session/ticket_table.ts";
import { hostOf } from "./address.ts";
import {
  type Arguments,
  fromFields,
  type Operation,
  RefusedOperation,
  toField,
  UnsupportedOperation,
} from "./notation.ts";

/** Wire names of the transport parameters. */
const PARAMETERS: readonly (readonly [string, keyof TransportParameters])[] = [
  ["capabilities", "capabilities"],
  ["max_idle", "maxIdle"],
  ["max_data", "maxData"],
  ["max_stream_data", "maxStreamData"],
  ["max_streams", "maxStreams"],
  ["max_datagram", "maxDatagram"],
  ["max_frame", "maxFrame"],
  ["max_udp", "maxUdp"],
  ["ack_delay", "ackDelay"],
  ["ack_every", "ackEvery"],
  ["reset", "reset"],
  ["migrate", "migrate"],
  ["app", "app"],
];
const NEGOTIATED = ["version", "versions", "suite", "suites"];

/** Error codes of a refusal behind the authentication, as the data's verdicts. */
const VERDICTS: Readonly<Record<string, string>> = {
  TRANSPORT_PARAMETER: "parameter",
  REFUSED: "app",
  SUITE: "suite",
  VERSION: "version",
  SELF: "self",
  PEER_IDENTITY: "identity",
  BUSY: "busy",
  CRYPTO: "crypto",
  TICKET: "ticket",
};

function parametersOf(payload: Arguments, suites: readonly number[]): TransportParameters {
  const dict = fromFields(payload);
  const parameters: Record<string, unknown> = {};
  const extra = new Map<string, SttValue>();
  for (const [key, value] of dict) {
    const known = PARAMETERS.find(([wire]) => wire === key);
    if (known !== undefined) parameters[known[1]] = value;
    else if (!NEGOTIATED.includes(key)) extra.set(key, value);
  }
  const made = transportParameters({
    ...(parameters as Partial<TransportParameters>),
    ...(extra.size === 0 ? {} : { extra }),
  });
  const written = encodeParameters(made, negotiation(Number(dict.get("suite")), suites));
  // Defaults that are spelled out, say, are another spelling than the one this implementation sends.
  if (toHex(written) !== toHex(encodeValue(dict))) {
    throw new UnsupportedOperation("this spelling of the payload");
  }
  return made;
}

function parametersToFields(parameters: TransportParameters): unknown {
  return Object.fromEntries(
    PARAMETERS.filter(([, name]) => parameters[name] !== undefined)
      .map(([wire, name]) => [wire, toField(parameters[name] as SttValue)]),
  );
}

function describe(session: HandshakeSession | undefined): unknown {
  if (session === undefined) return null;
  const { secrets } = session;
  return {
    session_id: toHex(session.sessionId),
    suite: session.suite,
    peer: toHex(session.peer.nodeId),
    handshake_hash: toHex(secrets.handshakeHash),
    traffic_i2r: toHex(secrets.i2r),
    traffic_r2i: toHex(secrets.r2i),
    final: toHex(secrets.final),
    exporter: toHex(secrets.exporter),
    parameters: parametersToFields(session.peer.parameters),
    ...(session.resumed === undefined ? {} : { resumed: true }),
  };
}

export function handshakeOps(provider: CryptoProvider): Readonly<Record<string, Operation>> {
  return {
    "parameters.decode": (a) => decodePayload(a),
    "initiator.run": (a) => runInitiator(provider, a),
    "responder.run": (a) => runResponder(provider, a),
  };
}

function decodePayload(a: Arguments): unknown {
  const payload = fromHex(a.hex);
  const { parameters, error } = judgePayload({
    role: a.from_initiator ? "responder" : "initiator",
    suite: a.suite,
    version: 1,
    suites: a.own_suites,
    app: a.own_app ?? "",
  }, payload);
  if (error !== undefined) {
    throw new RefusedOperation(VERDICTS[error.code] ?? error.code);
  }
  return { parameters: parametersToFields(parameters) };
}

function pairKeyOf(a: Arguments): { pairKey?: Uint8Array } {
  return a.pair_key ? { pairKey: fromHex(a.pair_key) } : {};
}

function ticketOf(ticket: Arguments): { id: Uint8Array; secret: Uint8Array; nodeId: Uint8Array } {
  return {
    id: fromHex(ticket.id),
    secret: fromHex(ticket.secret),
    nodeId: fromHex(ticket.node_id),
  };
}

function ticketsOf(provider: CryptoProvider, tickets: readonly Arguments[]): TicketTable {
  const table = new TicketTable({ tickets: 1024, ticketsPerPeer: 1024 });
  for (const ticket of tickets) {
    const { nodeId, ...keys } = ticketOf(ticket);
    const seed = seedKeys(provider, fromHex(ticket.seed)).seedId(new Uint8Array(32));
    table.add({ nodeId, seed, owner: "" }, { ...keys, expires: Number(ticket.expires) });
  }
  return table;
}

/** Sums of counters: which reason was counted since the last look. */
function newest(
  drops: ReadonlyMap<string, number>,
  before: Map<string, number>,
): string | undefined {
  let found: string | undefined;
  for (const [reason, count] of drops) {
    if (count !== (before.get(reason) ?? 0)) found = reason;
    before.set(reason, count);
  }
  return found;
}

/** `state` and a RETRY that does not verify have other names in the data. */
const INITIATOR_REASONS: Readonly<Record<string, string>> = { state: "type" };

function runInitiator(provider: CryptoProvider, a: Arguments): unknown {
  const start = Number(a.hello_ms);
  const initiator = new Initiator({
    provider,
    reliable: false,
    seedKeys: seedKeys(provider, fromHex(a.shared_seed)),
    staticKey: staticKey(provider, fromHex(a.node_seed)),
    ...pairKeyOf(a),
    ...(a.expect ? { expect: fromHex(a.expect) } : {}),
    parameters: parametersOf(a.payload, a.suites),
    suites: a.suites,
    timeoutMs: 1e12,
    unixOffsetMs: start,
    ...(a.ticket === undefined ? {} : {
      ticket: {
        ...ticketOf(a.ticket),
        ...(a.ticket.required === false ? { required: false } : {}),
      },
    }),
    ...(a.hello_extra === undefined ? {} : { helloExtra: fromFields(a.hello_extra) }),
    injection: {
      ephemeral: () => provider.x25519(fromHex(a.ephemeral)),
      nodeIdAlias: () => fromHex(a.alias),
    },
  }, 0);
  const drain = (nowMs: number): string[] => {
    const sent: string[] = [];
    for (
      let frame = initiator.transmit(nowMs);
      frame !== undefined;
      frame = initiator.transmit(nowMs)
    ) {
      sent.push(toHex(frame));
    }
    return sent;
  };
  const [hello] = drain(0);
  const seen = new Map<string, number>();
  const results = a.events.map((event: Arguments) => {
    const nowMs = Number(event.at) - start;
    initiator.receive(fromHex(event.receive), nowMs);
    const reason = newest(initiator.drops, seen);
    const sent = drain(nowMs);
    if (reason !== undefined) {
      return { result: "dropped", verdict: INITIATOR_REASONS[reason] ?? reason, sent };
    }
    if (initiator.phase === "failed") {
      const code = initiator.failure?.code ?? "";
      return { result: "failed", verdict: VERDICTS[code] ?? code, sent };
    }
    return { result: "taken", verdict: "ok", sent };
  });
  return { hello, results, done: initiator.phase === "done", session: describe(initiator.session) };
}

function runResponder(provider: CryptoProvider, a: Arguments): unknown {
  const start = Number(a.events[0]?.at ?? 0);
  const cookieSecret = a.cookie_secret;
  const ephemerals: string[] = [a.ephemeral].flat();
  let used = 0;
  const acceptor = new Acceptor({
    provider,
    seeds: a.seeds.map((seed: string) => seedKeys(provider, fromHex(seed))),
    staticKey: staticKey(provider, fromHex(a.node_seed)),
    ...pairKeyOf(a),
    parameters: parametersOf(a.payload, a.suites),
    suites: a.suites,
    tickets: ticketsOf(provider, a.tickets ?? []),
    handshakeRate: Infinity,
    // Scripts jump in time; what is half-open must not expire under them.
    timeoutMs: 1e12,
    unixOffsetMs: start,
    underLoad: () => a.under_load === true,
    injection: {
      ephemeral: () =>
        provider.x25519(fromHex(ephemerals[Math.min(used++, ephemerals.length - 1)] as string)),
      nodeIdAlias: () => fromHex(a.alias),
      ...(cookieSecret ? { cookieSecret: () => fromHex(cookieSecret) } : {}),
    },
  }, 0);
  let pending: PendingSession | undefined;
  const results = a.events.map((event: Arguments) => {
    const nowMs = Number(event.at) - start;
    if (event.accept === true) {
      if (pending === undefined) return { result: "dropped", verdict: "attempt", sent: [] };
      const final = acceptor.accept(pending, nowMs);
      return { result: "taken", verdict: "ok", sent: [toHex(final)] };
    }
    const from = event.from ?? { ip: "7f000001", port: 4780 };
    const source = { host: hostOf(from.ip), port: from.port, reliable: false };
    const retriesBefore = countOf(acceptor.counters.retries);
    const result = acceptor.receive(fromHex(event.receive), source, nowMs);
    if (result.kind === "drop") return { result: "dropped", verdict: result.reason, sent: [] };
    if (result.kind === "send") {
      const retried = countOf(acceptor.counters.retries) > retriesBefore;
      return { result: "taken", verdict: retried ? "retry" : "ok", sent: [toHex(result.frame)] };
    }
    const { refusal } = result.pending;
    if (refusal !== undefined) {
      return { result: "failed", verdict: VERDICTS[refusal.code] ?? refusal.code, sent: [] };
    }
    pending = result.pending;
    return { result: "taken", verdict: "ok", sent: [] };
  });
  return { results, session: describe(pending?.session) };
}

function countOf(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
