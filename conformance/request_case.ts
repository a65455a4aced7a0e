/** Compares a program's answer with the twin's, by the kind of operation. @module */
import { type Check, Failure } from "./case.ts";
import { alike } from "./data/values.ts";
import type { Answer, Json, JsonObject, Request } from "./protocol.ts";

type Settled = Exclude<Answer, { unsupported: true }>;

export async function runRequest(check: Check, request: Request): Promise<Settled> {
  return await check.call(request);
}

interface Step {
  readonly result?: string;
  readonly verdict?: string;
  readonly sent?: Json;
  readonly refused?: string;
  readonly close?: number | null;
}

/** The program must accept and refuse what the twin does, with the same results. */
export function compare(
  check: Check,
  request: Request,
  twin: { ok: Record<string, unknown> } | { error: string },
  answer: Settled,
): void {
  if ("error" in twin) {
    if ("ok" in answer) {
      throw new Failure(`${request.op} accepted what must be refused with ${twin.error}`);
    }
    check.code(answer.error, alike(twin.error));
    return;
  }
  if ("error" in answer) {
    throw new Failure(`${request.op} was refused with ${answer.error} (${answer.message ?? ""})`);
  }
  const expected = twin.ok as JsonObject;
  for (const [key, value] of Object.entries(expected)) {
    if (key === "results") steps(check, answer.ok.results, value);
    else if (key === "error") {
      if (answer.ok.error === undefined) throw new Failure(`${request.op} must stop with ${value}`);
      check.code(String(answer.ok.error), [String(value)]);
    } else check.equal(answer.ok[key] ?? null, value, key);
  }
  if (expected.error === undefined && answer.ok.error !== undefined) {
    throw new Failure(`${request.op} stopped with ${answer.ok.error}`);
  }
}

/** Why a step was refused may have another name; that it was, and what was sent, may not. */
function steps(check: Check, actual: Json | undefined, expected: Json): void {
  const found = (actual ?? []) as readonly JsonObject[];
  for (const [i, step] of (expected as readonly (JsonObject & Step)[]).entries()) {
    const { verdict, refused, close, ...rest } = step;
    const one = found[i] ?? {};
    for (const [key, value] of Object.entries(rest)) {
      check.equal(one[key] ?? null, value, `step ${i} (${verdict ?? "opened"}): ${key}`);
    }
    if (refused !== undefined && one.refused === undefined) {
      throw new Failure(`step ${i} was taken, expected ${refused}`);
    }
    if (close !== undefined) closing(check, i, one.close ?? null, close);
    const [reason, wanted] = refused === undefined
      ? [one.verdict, verdict]
      : [one.refused, refused];
    if (reason !== wanted) check.note(`step ${i} was refused as ${reason}, expected ${wanted}`);
  }
}

/** Whether a session is closed is binding; the code is for people and for statistics. */
function closing(check: Check, step: number, actual: Json, expected: number | null): void {
  if ((actual === null) !== (expected === null)) {
    throw new Failure(`step ${step} closed the session with ${actual}, expected ${expected}`);
  }
  if (actual !== expected) check.note(`step ${step} closed with ${actual}, expected ${expected}`);
}
