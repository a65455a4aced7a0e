/**
 * Both sides of handshakes with fixed keys: any messages in any order, while the twin plays along (SPEC 6). The first part
 * of an input says which vector the keys are from; each other part is an event, the first byte of which says when and from
 * where, or that the session is accepted.
 *
 * @module
 */
import { fromHex, toHex } from "../../../src/codec/hex.ts";
import type { Json, Request } from "../../../conformance/protocol.ts";
import { decodeMessage } from "../../../src/handshake/messages.ts";
import { agreed, answerOfSrc } from "../differential.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { mutateFrame } from "../mutate_values.ts";
import { joinParts, mutateParts, splitParts } from "../parts.ts";
import type { Target } from "../target.ts";
import { vectorTests } from "../vector_inputs.ts";

const MAX_EVENTS = 8;
const ACCEPT = 0x80;
/** Milliseconds between events; SPEC 6.4's freshness is 120 s and its cookies live for minutes. */
const DELAYS = [0, 10, 1000, 59_000, 119_000, 121_000, 240_000, 600_000] as const;
const SOURCES = [
  { ip: "7f000001", port: 4780 },
  { ip: "7f000001", port: 4781 },
  { ip: "0a000001", port: 4780 },
  { ip: "20010db8000000000000000000000001", port: 4780 },
] as const;

interface Script extends Request {
  readonly events: readonly {
    readonly receive?: string;
    readonly at: string;
    readonly accept?: boolean;
  }[];
}

/** Vectors with two bytes made of their permanent ids, so that inputs keep their meaning when vectors are added. */
const SCRIPTS: readonly (readonly [key: number, script: Script])[] = [
  ...vectorTests("handshake", "responder.run"),
  ...vectorTests("handshake", "initiator.run"),
  ...vectorTests("resumption", "responder.run"),
  ...vectorTests("resumption", "initiator.run"),
].map(({ id, request }) => [keyOf(id), request as Script]);

function keyOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash ^ hash >>> 16) & 0xffff;
}

/** The script that an input asks for. */
function scriptOf(input: Uint8Array): Script {
  const [head = new Uint8Array(0), ...parts] = splitParts(input);
  const key = (head[0] ?? 0) << 8 | (head[1] ?? 0);
  const [, base] = SCRIPTS.find(([one]) => one === key) ?? SCRIPTS[key % SCRIPTS.length]!;
  const responds = base.op === "responder.run";
  let at = Number(base.events[0]?.at ?? base.hello_ms ?? 0);
  const events: Json[] = [];
  for (const part of parts.slice(0, MAX_EVENTS)) {
    const how = part[0] ?? 0;
    at += DELAYS[how & 7]!;
    if ((how & ACCEPT) !== 0) {
      if (responds) events.push({ accept: true, at: String(at) });
    } else {
      const receive = toHex(part.subarray(1));
      const from = SOURCES[how >> 3 & 3]!;
      events.push({ receive, at: String(at), ...(responds && (how & 0x40) !== 0 ? { from } : {}) });
    }
  }
  // Without a secret of its own the twin asks for no cookie, however old a HELLO is.
  const secret = responds ? { cookie_secret: base.cookie_secret ?? "c0".repeat(32) } : {};
  return { ...base, ...secret, events } as unknown as Script;
}

interface Step {
  readonly result: string;
  readonly verdict: string;
  readonly sent: readonly string[];
}

function stepsOf(answer: ReturnType<typeof answerOfSrc>): readonly Step[] {
  return "ok" in answer ? (answer.ok as { readonly results: readonly Step[] }).results : [];
}

/**
 * The script without what is no event of the protocol: an acceptance that no session waits for, and whatever comes to an
 * initiator that is done or has failed.
 */
function playable(script: Script, steps: readonly Step[]): Script {
  const last = steps.findIndex((step) =>
    step.result === "failed" || (step.verdict === "ok" && step.sent.length === 0)
  );
  if (script.op === "initiator.run") {
    return last < 0 ? script : { ...script, events: script.events.slice(0, last + 1) };
  }
  let waiting = false;
  const events = script.events.filter(({ accept }, index) => {
    const was = waiting;
    if (accept === true) waiting = false;
    else waiting ||= index === last && steps[index]!.result !== "failed";
    return accept !== true || was;
  });
  return { ...script, events };
}

/** A script names the suite that its side announces: what a HELLO of another suite gets, no peer of ours sends. */
function inItsSuite({ payload }: Script, steps: readonly Step[]): boolean {
  const suite = Number((payload as { readonly suite?: { readonly int: string } }).suite?.int);
  return steps.every(({ sent }) =>
    sent.every((frame) => {
      const message = decodeMessage(fromHex(frame));
      return message.type !== "RESPONSE" || Number(message.suite) === suite;
    })
  );
}

function run(input: Uint8Array): string {
  const script = scriptOf(input);
  const steps = stepsOf(answerOfSrc(script as unknown as Request));
  if (!inItsSuite(script, steps)) return "another suite";
  const request = playable(script, steps) as unknown as Request;
  const answer = agreed(request, script.events.length % 4 === 3);
  if ("error" in answer) return answer.error;
  const role = script.op === "responder.run" ? "responder" : "initiator";
  return `${role} ${stepsOf(answer).slice(-2).map(({ verdict }) => verdict).join(" ")}`;
}

function seeds(): Uint8Array[] {
  return SCRIPTS.map(([key, script]) => {
    let before = Number(script.events[0]?.at ?? 0);
    const events = script.events.map(({ receive, at, accept }) => {
      const delay = Number(at) - before;
      before = Number(at);
      const when = Math.max(0, DELAYS.findIndex((one) => one >= delay));
      if (accept === true) return Uint8Array.of(when | ACCEPT);
      return Uint8Array.of(when, ...fromHex(receive ?? ""));
    });
    return joinParts([Uint8Array.of(key >> 8, key & 255), ...events]);
  });
}

export const handshake: Target = {
  name: "handshake",
  exact: true,
  maxBytes: 6000,
  seeds,
  mutate: (input, other, prng) =>
    mutateParts(input, other, prng, (part) => {
      if (prng.chance(0.1)) return mutateBytes(part, prng);
      if (prng.chance(0.2)) return Uint8Array.of(prng.integer(0, 255), ...part.subarray(1));
      return Uint8Array.of(part[0] ?? 0, ...mutateFrame(part.slice(1), prng));
    }),
  run,
};
