/** Inputs of the handshakes that the built-in cases play. @module */
import { initiatorScript, responderScript } from "../data/handshake_refusals.ts";
import type { JsonObject, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import {
  type HandshakeInputs,
  type HandshakeResult,
  type Party,
  runHandshake,
  staticSecret,
} from "../twin/handshake.ts";
import { encodeFields, type Fields, handshakeFrame } from "../twin/messages.ts";
import { publicKey } from "../twin/primitives.ts";
import { payloadOf } from "./6_parameters.ts";
import { type RuleTest, sample } from "./rule.ts";

export const TIMES = {
  hello: "1731000000000",
  response: "1731000000007",
  auth_proof: "1731000000031",
  final: "1731000000040",
};

export interface Play {
  readonly inputs: HandshakeInputs & {
    readonly listener_seeds: readonly string[];
    readonly cookie: null;
  };
  readonly result: HandshakeResult;
  /** Frames of the genuine messages. */
  readonly frames: Readonly<Record<"HELLO" | "RESPONSE" | "AUTH_PROOF" | "FINAL", string>>;
}

function party(name: string, suite: number, suites: readonly number[], extra: Fields): Party {
  const nodeSeed = sample(`${name} node seed`, 32);
  const secret = staticSecret(unhex(nodeSeed));
  const ephemeral = sample(`${name} ephemeral`, 32);
  return {
    node_seed: nodeSeed,
    static_private: hex(secret),
    node_id: hex(publicKey(secret)),
    alias: sample(`${name} alias`, 32),
    ephemeral_private: ephemeral,
    nonce: hex(publicKey(unhex(ephemeral))),
    suites,
    versions: [1],
    capabilities: 11,
    payload: payloadOf(suite, suites, extra),
  };
}

export interface PlayOptions {
  readonly suite: number;
  readonly initiator?: Partial<Party>;
  readonly responder?: Partial<Party>;
  readonly initiatorParameters?: Fields;
  readonly responderParameters?: Fields;
  readonly pairKey?: string;
  readonly seeds?: readonly string[];
  readonly seed?: string;
  readonly times?: Partial<typeof TIMES>;
  readonly extra?: Fields;
  /** A ticket that HELLO names, and whether the responder takes it (default). */
  readonly ticket?: { readonly id: string; readonly secret: string };
  readonly resumed?: boolean;
}

const plays = new Map<string, Play>();

/** The handshake of these options; nobody may change what it gives, as equal options give it again. */
export function play(options: PlayOptions): Play {
  const key = JSON.stringify(options);
  const known = plays.get(key);
  if (known !== undefined) return known;
  const made = playAnew(options);
  plays.set(key, made);
  return made;
}

function playAnew(options: PlayOptions): Play {
  const { suite } = options;
  const suites = suite === 1 ? [1, 2] : [2, 1];
  const seed = options.seed ?? sample(`shared seed of suite ${suite}`, 32);
  const name = (role: string): string => `${role} of suite ${suite}`;
  const inputs = {
    suite,
    shared_seed: seed,
    listener_seeds: options.seeds ?? [seed],
    pair_key: options.pairKey ?? null,
    times: { ...TIMES, ...options.times },
    hello_extra: options.extra ?? {},
    cookie: null,
    ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
    resumed: options.resumed ?? true,
    initiator: {
      ...party(name("initiator"), suite, suites, options.initiatorParameters ?? {}),
      ...options.initiator,
    },
    responder: {
      ...party(name("responder"), suite, suites, options.responderParameters ?? {}),
      ...options.responder,
    },
  };
  const result = runHandshake(inputs);
  const { HELLO, RESPONSE, AUTH_PROOF, FINAL } = result.messages;
  return {
    inputs,
    result,
    frames: {
      HELLO: HELLO.frame,
      RESPONSE: RESPONSE.frame,
      AUTH_PROOF: AUTH_PROOF.frame,
      FINAL: FINAL.frame,
    },
  };
}

/** An event: a frame at the time at which the genuine message would come. */
export function at(time: keyof typeof TIMES, receive: string): JsonObject {
  return { receive, at: TIMES[time] };
}

export const ACCEPT: JsonObject = { accept: true, at: TIMES.final };

export function initiatorOf(one: Play, events: readonly JsonObject[], expect?: string): Request {
  return initiatorScript(one.inputs, events, expect);
}

export function responderOf(
  one: Play,
  events: readonly JsonObject[],
  overrides: JsonObject = {},
): Request {
  return { ...responderScript(one.inputs, events), ...overrides };
}

/** A message of a play with changed fields. */
export function altered(one: Play, name: keyof Play["frames"], changes: Fields): string {
  return hex(handshakeFrame(encodeFields({ ...one.result.messages[name].fields, ...changes })));
}

/** The offset in a frame of the last byte of a field's content. */
export function endOf(one: Play, name: keyof Play["frames"], field: string): number {
  const message = one.result.messages[name];
  const frame = message.frame;
  const content = hex(encodeFields({ [field]: message.fields[field] as Fields[string] })).slice(10);
  const found = frame.indexOf(content);
  if (found < 0 || found % 2 !== 0) throw new Error(`${name}.${field} is not in its frame`);
  return (found + content.length) / 2 - 1;
}

export const SUITES: readonly number[] = [1, 2];

export function each(make: (one: Play, suite: number) => readonly [string, Request][]): RuleTest[] {
  return SUITES.flatMap((suite) =>
    make(play({ suite }), suite).map(([comment, request]) => ({
      comment: `suite ${suite}: ${comment}`,
      request,
    }))
  );
}

export const int = (value: number | string): Fields[string] => ({ int: String(value) });
export const list = (...values: number[]): Fields[string] => ({
  list: values.map((value) => ({ int: String(value) })),
});
