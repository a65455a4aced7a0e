/** Refused handshake messages of vectors/stt1/handshake.json, and the scripts of both sides. @module */
import { type Check, Failure } from "../case.ts";
import type { JsonObject, Request } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import type { HandshakeResult } from "../twin/handshake.ts";
import { twinCall } from "../twin/ops.ts";
import { makeRetry } from "../twin/retry.ts";
import type { Entry, EntryCase } from "./section.ts";

type Event = JsonObject;

/** The initiator of a case with these events; a case with a cookie begins with the RETRY that it came in. */
export function initiatorScript(entry: Entry, events: readonly Event[], expect?: string): Request {
  const { initiator, times } = entry;
  const first: Event[] = entry.cookie === null || entry.cookie === undefined
    ? []
    : [{ receive: retryFrame(entry), at: times.hello }];
  return {
    op: "initiator.run",
    shared_seed: entry.shared_seed,
    pair_key: entry.pair_key ?? null,
    node_seed: initiator.node_seed,
    alias: initiator.alias,
    ephemeral: initiator.ephemeral_private,
    suites: initiator.suites,
    payload: initiator.payload,
    capabilities: initiator.capabilities,
    hello_extra: entry.hello_extra ?? {},
    expect: expect ?? null,
    hello_ms: times.hello,
    events: [...first, ...events],
  };
}

function retryFrame(entry: Entry): string {
  if (entry.retry?.frame !== undefined) return entry.retry.frame;
  const nonce = unhex(entry.initiator.nonce);
  return makeRetry(unhex(entry.shared_seed), { nonce, code: 1, cookie: unhex(entry.cookie) }).frame;
}

/** The responder of a case, with what one entry overrides. */
export function responderScript(
  entry: Entry,
  events: readonly Event[],
  overrides: Entry = {},
): Request {
  const { responder } = entry;
  const suites: number[] = overrides.listener_suites ?? responder.suites;
  const payload = overrides.listener_suites === undefined ? responder.payload : {
    ...responder.payload,
    suite: { int: String(suites[0]) },
    suites: { list: suites.map((id) => ({ int: String(id) })) },
  };
  return {
    op: "responder.run",
    seeds: overrides.listener_seeds ?? entry.listener_seeds,
    pair_key: entry.pair_key ?? null,
    node_seed: responder.node_seed,
    alias: responder.alias,
    ephemeral: responder.ephemeral_private,
    suites,
    payload,
    cookie_secret: overrides.cookie?.secret ?? null,
    events,
  };
}

/** Runs a script and compares every step with the twin's. */
export async function runAsTwin(check: Check, script: Request): Promise<JsonObject> {
  const twin = twinCall(script);
  if ("error" in twin) throw new Failure(`the twin refuses the script with ${twin.error}`);
  const answer = await check.ok(script);
  const steps = answer.results as Entry[];
  for (const [i, expected] of (twin.ok.results as Entry[]).entries()) {
    const actual = steps[i] ?? {};
    check.equal(actual.result ?? null, expected.result, `step ${i} (${expected.verdict}): result`);
    check.equal(actual.sent ?? null, expected.sent, `step ${i} (${expected.verdict}): frames sent`);
    if (actual.verdict !== expected.verdict) {
      check.note(`step ${i} was refused as ${actual.verdict}, expected ${expected.verdict}`);
    }
  }
  return answer;
}

/** A script with the refused message at its place, and the index of that step. */
function scriptOf(entry: Entry, one: Entry): { script: Request; place: number } {
  const { messages, times } = entry;
  const from = one.cookie === undefined ? undefined : { ip: one.cookie.ip, port: one.cookie.port };
  const at = one.now_ms;
  const step = (frame: string, time: string): Event => ({ receive: frame, at: time });
  const refused = (time: string): Event => ({
    receive: one.frame,
    at: at ?? time,
    ...(from === undefined ? {} : { from }),
  });
  const skip = entry.cookie === null || entry.cookie === undefined ? 0 : 1;
  switch (one.message) {
    case "HELLO": {
      // "Seen before" needs the one that was seen.
      const before = one.expect === "replay" ? [step(messages.HELLO.frame, times.response)] : [];
      const script = responderScript(entry, [
        ...before,
        refused(times.response),
        ...(at === undefined ? [step(messages.HELLO.frame, times.response)] : []),
      ], one);
      return { script, place: before.length };
    }
    case "AUTH_PROOF":
      return {
        place: 1,
        script: responderScript(entry, [
          step(messages.HELLO.frame, times.response),
          refused(times.auth_proof),
          step(messages.AUTH_PROOF.frame, times.auth_proof),
        ], one),
      };
    case "RESPONSE":
    case "RETRY": {
      const pin = one.expect === "identity" ? entry.responder.node_id : undefined;
      const genuine = step(messages.RESPONSE.frame, times.auth_proof);
      return {
        place: skip,
        script: initiatorScript(entry, [refused(times.auth_proof), genuine], pin),
      };
    }
    case "FINAL": {
      const genuine = step(messages.FINAL.frame, times.final);
      const response = step(messages.RESPONSE.frame, times.auth_proof);
      return {
        place: skip + 1,
        script: initiatorScript(entry, [response, refused(times.final), genuine]),
      };
    }
    default:
      throw new Failure(`data mismatch: refusal of unknown message ${one.message}`);
  }
}

export function refusal(entry: Entry, run: () => HandshakeResult, one: Entry): EntryCase[] {
  return [{
    section: one.message === "HELLO" || one.message === "RETRY" ? "6.4" : "6.2",
    title: `${entry.name}: ${one.message}, ${one.note}`,
    run: async (check) => {
      run();
      checkFlip(check, entry, one);
      const { script, place } = scriptOf(entry, one);
      const twin = twinCall(script);
      if ("error" in twin) throw new Failure(`the twin refuses the script with ${twin.error}`);
      const results = twin.ok.results as Entry[];
      const verdict = results[place];
      if (verdict.verdict !== one.expect && one.choice === true) {
        check.note(
          `the data expect ${one.expect} by a reading of their own, the twin ${verdict.verdict}`,
        );
      } else {
        check.data(one.expect, verdict.verdict, "expect");
        check.data(one.answer === undefined ? [] : [one.answer], verdict.sent, "answer");
      }
      const overridden = one.listener_suites ?? one.listener_seeds ?? one.now_ms;
      const genuine = results[place + 1];
      if (overridden === undefined && verdict.result === "dropped" && one.expect !== "replay") {
        check.data("taken", genuine.result, "the genuine message behind it");
      }
      await runAsTwin(check, script);
    },
  }];
}

/** `field` is one of the message; `offset` and `xor` must lead from the genuine frame to this one. */
function checkFlip(check: Check, entry: Entry, one: Entry): void {
  if (one.field !== undefined && entry.messages[one.message].fields[one.field] === undefined) {
    throw new Failure(`data mismatch: ${one.message} has no field ${one.field}`);
  }
  if (one.offset === undefined || one.xor === undefined) return;
  const bytes = unhex(entry.messages[one.message].frame);
  bytes[one.offset] = (bytes[one.offset] as number) ^ one.xor;
  check.data(one.frame, hex(bytes), "frame");
}
