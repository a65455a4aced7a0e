/**
 * What subscribers and publishers write (SPEC 12.13), beside the twin, and a hub that they write to. The first byte of an
 * input says which: a subscription, a message, a filter with a topic, or steps at a hub. @module
 */
import { toHex } from "../../../src/codec/hex.ts";
import {
  filterFault,
  matchesTopic,
  topicFault,
} from "../../../src/endpoint/groups/topic_filter.ts";
import { TOPIC_ENDPOINTS, Topics } from "../../../src/endpoint/groups/topics.ts";
import {
  decodeMessage,
  decodeSubscription,
  encodeMessage,
  encodeSubscription,
} from "../../../src/endpoint/groups/wire.ts";
import type { Endpoints } from "../../../src/endpoint/requests/endpoints.ts";
import type { IncomingRequest } from "../../../src/endpoint/requests/incoming_request.ts";
import type { RequestHandler } from "../../../src/endpoint/requests/mod.ts";
import { SttError } from "../../../src/errors.ts";
import type { Prng } from "../../../src/testing/prng.ts";
import type { Request } from "../../../conformance/protocol.ts";
import { twinCall } from "../../../conformance/twin/ops.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";

const SUBSCRIPTION = 0;
const MESSAGE = 1;
const MATCH = 2;
const HUB = 3;
/** Of a hub: what a peer says with the body behind it, or that its oldest subscription is over. */
const SUBSCRIBE = 0;
const PUBLISH = 1;
const LEAVE = 2;
const PEERS = 3;
const MAX_STEPS = 24;

const NO_EVENT = new AbortController().signal;
const LEVELS = ["", "a", "b", "é", "+", "#", "sensors", "+a", "\0"];

/** What `act` gives, or undefined when it refuses with PROTOCOL. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof SttError && error.code === "PROTOCOL") return undefined;
    throw error;
  }
}

function twin(request: Request): string {
  const reply = twinCall(request);
  return "error" in reply ? reply.error : JSON.stringify(reply.ok);
}

function subscription(bytes: Uint8Array): string {
  const filters = attempt(() => decodeSubscription(bytes));
  const expected = twin({ op: "topic.subscription.decode", hex: toHex(bytes) });
  const got = filters === undefined ? "PROTOCOL" : JSON.stringify({ filters });
  oracle(got === expected, () => `the twin says ${expected}, not ${got}`);
  if (filters === undefined) return "refused";
  const again = decodeSubscription(encodeSubscription(filters));
  oracle(JSON.stringify(again) === JSON.stringify(filters), "other filters come back");
  return `${filters.length > 2 ? "many" : filters.length} filters`;
}

function message(bytes: Uint8Array): string {
  const decoded = attempt(() => decodeMessage(bytes));
  const expected = twin({ op: "topic.message.decode", hex: toHex(bytes) });
  const got = decoded === undefined ? "PROTOCOL" : JSON.stringify({
    topic: decoded.topic,
    data: toHex(decoded.data),
    dropped: `${decoded.dropped}`,
  });
  oracle(got === expected, () => `the twin says ${expected}, not ${got}`);
  if (decoded === undefined) return "refused";
  const again = decodeMessage(encodeMessage(decoded));
  const same = again.topic === decoded.topic && again.dropped === decoded.dropped &&
    toHex(again.data) === toHex(decoded.data);
  oracle(same, "another message comes back");
  return `a message${decoded.dropped > 0 ? " behind others" : ""}`;
}

/** The filter stands before the first byte of 0, the topic behind it. */
function match(bytes: Uint8Array): string {
  const at = bytes.indexOf(0);
  const text = (part: Uint8Array): string => new TextDecoder().decode(part);
  const filter = text(bytes.subarray(0, at < 0 ? bytes.length : at));
  const topic = text(at < 0 ? new Uint8Array(0) : bytes.subarray(at + 1));
  const faults = [filterFault(filter), topicFault(topic)].filter((fault) => fault !== undefined);
  const got = faults.length > 0
    ? "PROTOCOL"
    : JSON.stringify({ matches: matchesTopic(filter, topic) });
  const expected = twin({ op: "topic.match", filter, topic });
  oracle(got === expected, () => `the twin says ${expected}, not ${got}`);
  // What is a topic is a filter that matches itself alone.
  if (topicFault(topic) === undefined) {
    oracle(matchesTopic(topic, topic) && matchesTopic("#", topic), "a topic is not itself");
  }
  return faults[0] === undefined ? got : `refused: ${faults[0].replace(/^\d+/, "N")}`;
}

interface Subscriber {
  readonly peer: number;
  readonly filters: readonly string[];
  readonly items: AsyncGenerator<Uint8Array, void, void>;
  /** Messages that it was to get. */
  passed: number;
}

/** A hub and what it should know, by a model: whoever is subscribed reads all at once. */
class HubRun {
  readonly #topics: Topics = new Topics({ allowPublish: () => true });
  readonly #handlers: Map<string, RequestHandler> = new Map();
  #subscribers: Subscriber[] = [];
  delivered = 0;
  refused = 0;

  constructor() {
    const endpoints = {
      register: (name: string, handler: RequestHandler) => {
        this.#handlers.set(name, handler);
        return () => undefined;
      },
    };
    this.#topics.register(endpoints as unknown as Endpoints);
  }

  #ask(name: string, peer: number, body: Uint8Array): ReturnType<RequestHandler> {
    const request = {
      peer: { id: `${peer}` },
      signal: NO_EVENT,
      body: () => Promise.resolve(body),
    };
    return this.#handlers.get(name)?.(request as unknown as IncomingRequest);
  }

  async subscribe(peer: number, body: Uint8Array): Promise<void> {
    const filters = attempt(() => decodeSubscription(body));
    const items = this.#ask(TOPIC_ENDPOINTS.subscribe, peer, body) as Subscriber["items"];
    const first = await items.next().catch(codeOf);
    if (filters === undefined) {
      oracle(first === "PROTOCOL", "a malformed subscription is taken");
      this.refused++;
      return;
    }
    oracle(typeof first !== "string" && first.value?.length === 0, "no empty item comes first");
    this.#subscribers.push({ peer, filters, items, passed: 0 });
  }

  async publish(peer: number, body: Uint8Array): Promise<void> {
    const sent = attempt(() => decodeMessage(body));
    const answer = await Promise.resolve(this.#ask(TOPIC_ENDPOINTS.publish, peer, body))
      .catch(codeOf);
    oracle((answer === "PROTOCOL") === (sent === undefined), () => `the hub answers ${answer}`);
    const counts = this.#counts();
    for (const [index, one] of this.#subscribers.entries()) {
      const wants = sent !== undefined && one.peer !== peer &&
        one.filters.some((filter) => matchesTopic(filter, sent.topic));
      if (wants) one.passed++;
      // The one that was read last, or is to be read, is neither sent nor queued until the next one is asked for.
      const right = counts[index] === Math.max(0, one.passed - 1);
      oracle(right, () => `${counts[index]} of ${one.passed} messages for ${one.filters}`);
      if (!wants) continue;
      const item = (await one.items.next()).value;
      const expected = encodeMessage({ topic: sent.topic, data: sent.data, dropped: 0 });
      oracle(item !== undefined && toHex(item) === toHex(expected), "another message is passed on");
      this.delivered++;
    }
    if (sent === undefined) this.refused++;
  }

  async leave(peer: number): Promise<void> {
    const index = this.#subscribers.findIndex((one) => one.peer === peer);
    const [one] = index < 0 ? [] : this.#subscribers.splice(index, 1);
    await one?.items.return();
    oracle(this.#topics.stats().length === this.#subscribers.length, "a subscription is left");
  }

  async end(): Promise<void> {
    for (let peer = 0; peer < PEERS; peer++) {
      while (this.#subscribers.some((one) => one.peer === peer)) await this.leave(peer);
    }
    oracle(this.#topics.stats().length === 0, "somebody is still subscribed");
  }

  /** Messages that each subscription got, or that wait for it. */
  #counts(): number[] {
    const stats = this.#topics.stats();
    oracle(
      stats.every(({ id, dropped }, index) =>
        id === `${this.#subscribers[index]?.peer}` && dropped === 0
      ) && stats.length === this.#subscribers.length,
      "the hub knows other subscriptions",
    );
    return stats.map(({ sent, queued }) => sent + queued);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof SttError) return error.code;
  throw error;
}

/** Steps of a byte for what and who, one for the length of the body, and the body. */
async function hub(bytes: Uint8Array): Promise<string> {
  const run = new HubRun();
  for (let at = 0, steps = 0; at < bytes.length && steps < MAX_STEPS; steps++) {
    const what = bytes[at] as number;
    const body = bytes.slice(at + 2, at + 2 + (bytes[at + 1] ?? 0));
    at += 2 + body.length;
    const peer = (what >> 2) % PEERS;
    if ((what & 3) === SUBSCRIBE) await run.subscribe(peer, body);
    else if ((what & 3) === PUBLISH) await run.publish(peer, body);
    else await run.leave(peer);
  }
  await run.end();
  const { delivered, refused } = run;
  return `${delivered > 3 ? "many" : delivered} delivered, ${
    refused > 0 ? "some" : "none"
  } refused`;
}

function run(input: Uint8Array): string | Promise<string> {
  const bytes = input.subarray(1);
  switch ((input[0] ?? 0) & 3) {
    case SUBSCRIPTION:
      return subscription(bytes);
    case MESSAGE:
      return message(bytes);
    case MATCH:
      return match(bytes);
    default:
      return hub(bytes);
  }
}

function step(what: number, peer: number, body: Uint8Array): number[] {
  return [(peer << 2) | what, body.length, ...body];
}

function seeds(): Uint8Array[] {
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  const news = encodeMessage({ topic: "sensors/7/a", data: text("x"), dropped: 0 });
  const some = encodeSubscription(["sensors/+/a", "b/#"]);
  return [
    Uint8Array.of(SUBSCRIPTION, ...some),
    Uint8Array.of(SUBSCRIPTION, ...encodeSubscription(["é", "#", "+", "a//b"])),
    Uint8Array.of(MESSAGE, ...news),
    Uint8Array.of(MESSAGE, ...encodeMessage({ topic: "a", data: text(""), dropped: 300 })),
    Uint8Array.of(MATCH, ...text("sensors/+/#\0sensors/7")),
    Uint8Array.of(MATCH, ...text("a/b\0a/b")),
    Uint8Array.of(
      HUB,
      ...step(SUBSCRIBE, 0, some),
      ...step(SUBSCRIBE, 1, encodeSubscription(["#"])),
      ...step(PUBLISH, 2, news),
      ...step(PUBLISH, 1, news),
      ...step(LEAVE, 0, new Uint8Array(0)),
      ...step(PUBLISH, 2, news),
    ),
  ];
}

function level(prng: Prng): string {
  return LEVELS[prng.integer(0, LEVELS.length - 1)] as string;
}

function levels(prng: Prng): string {
  return Array.from({ length: prng.integer(1, 4) }, () => level(prng)).join("/");
}

/** A body of a step or an input: changed as a value, or made of levels that other bodies have, too. */
function body(bytes: Uint8Array, prng: Prng): Uint8Array {
  if (bytes.length > 0 && prng.chance(0.5)) return mutateEncodedValue(bytes, prng);
  try {
    if (prng.chance(0.5)) return encodeSubscription([levels(prng), levels(prng)]);
    return encodeMessage({ topic: levels(prng), data: bytes.slice(0, 3), dropped: 0 });
  } catch {
    return bytes;
  }
}

export const topics: Target = {
  name: "topics",
  exact: true,
  maxBytes: 1200,
  seeds,
  mutate(input, other, prng) {
    const mode = (input[0] ?? 0) & 3;
    const bytes = input.slice(1);
    if (prng.chance(0.3)) return Uint8Array.of(mode, ...mutateWith(bytes, other.slice(1), prng));
    if (mode === MATCH) {
      return Uint8Array.of(MATCH, ...new TextEncoder().encode(`${levels(prng)}\0${levels(prng)}`));
    }
    if (mode !== HUB) return Uint8Array.of(mode, ...body(bytes, prng));
    // One more step at the end, with a body like one that is there.
    const last = bytes.slice(2, 2 + (bytes[1] ?? 0));
    const made = body(last, prng);
    if (made.length > 255) return input;
    const what = prng.integer(0, 2);
    const next = step(what, prng.integer(0, PEERS - 1), what === LEAVE ? new Uint8Array(0) : made);
    return prng.chance(0.2)
      ? Uint8Array.of(HUB, ...next, ...bytes)
      : Uint8Array.of(HUB, ...bytes, ...next);
  },
  run,
};
