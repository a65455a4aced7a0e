/** Built-in cases: a rule of SPEC.md, and requests that keep or break it. The twin knows the results. @module */
import { type Case, Failure, type Level } from "../case.ts";
import type { Json, Request } from "../protocol.ts";
import { compare } from "../request_case.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { twinCall } from "../twin/ops.ts";
import { sha256 } from "../twin/primitives.ts";

/** One request and what it is about. */
export interface RuleTest {
  readonly comment: string;
  readonly request: Request;
}

/** A rule of one section; its number and slug never change, and tests are only ever appended. */
export interface Rule {
  readonly section: string;
  readonly number: number;
  readonly slug: string;
  readonly level: Level;
  /** What the rule says. */
  readonly title: string;
  /** Whether the requests are to be accepted. Checked against the twin, so that neither can be wrong alone. */
  readonly expect: "accepted" | "refused";
  readonly tests: readonly RuleTest[];
}

/** Identifier of a rule's test, permanent. */
export function testId(rule: Rule, index: number): string {
  const name = `${rule.section}.${rule.number}-${rule.slug}`;
  return rule.tests.length === 1 ? name : `${name}/${index + 1}`;
}

export type TwinAnswer = { ok: Record<string, unknown> } | { error: string };

/** The twin's answer to a test, which must be what the rule says. */
export function expected(rule: Rule, test: RuleTest): TwinAnswer {
  const answer = twinCall(test.request);
  if ((refusal(answer) !== undefined) !== (rule.expect === "refused")) {
    throw new Failure(
      `the twin breaks its own rule ${rule.section}.${rule.number}: ${test.comment}`,
    );
  }
  return answer;
}

/** Refused as a whole, stopped with an error, or with a step that was not taken. */
export function refusal(answer: TwinAnswer): string | undefined {
  if ("error" in answer) return answer.error;
  if (typeof answer.ok.error === "string") return answer.ok.error;
  const steps = (answer.ok.results ?? []) as {
    verdict?: string;
    result?: string;
    refused?: string;
    close?: number | null;
  }[];
  const bad = steps.find((step) =>
    step.refused !== undefined || (step.result ?? "taken") !== "taken" ||
    (step.close ?? null) !== null
  );
  return bad?.refused ?? bad?.verdict ?? bad?.close?.toString();
}

export function ruleCases(rules: readonly Rule[]): Case[] {
  return rules.flatMap((rule) =>
    rule.tests.map((test, index): Case => ({
      id: testId(rule, index),
      section: rule.section,
      level: rule.level,
      title: `${rule.title}: ${test.comment}`,
      run: async (check) => {
        const twin = expected(rule, test);
        compare(check, test.request, twin, await check.call(test.request));
      },
    }))
  );
}

/** Collects the rules of one section. */
export class RuleBook {
  readonly rules: Rule[] = [];
  readonly #section: string;

  constructor(section: string) {
    this.#section = section;
  }

  accepts(
    number: number,
    slug: string,
    title: string,
    tests: readonly RuleTest[],
    level: Level = "MUST",
  ): void {
    this.#add({ section: this.#section, number, slug, level, title, expect: "accepted", tests });
  }

  refuses(
    number: number,
    slug: string,
    title: string,
    tests: readonly RuleTest[],
    level: Level = "MUST",
  ): void {
    this.#add({ section: this.#section, number, slug, level, title, expect: "refused", tests });
  }

  #add(rule: Rule): void {
    if (this.rules.some(({ number }) => number === rule.number)) {
      throw new Error(`rule ${rule.section}.${rule.number} is there twice`);
    }
    this.rules.push(rule);
  }
}

/** Bytes that anybody can make again: the first `length` of SHA-256("stt vectors" 00 label 00 counter). */
export function sample(label: string, length: number): string {
  let text = "";
  for (let i = 0; text.length < 2 * length; i++) {
    text += hex(sha256(new TextEncoder().encode(`stt vectors\0${label}\0${i}`)));
  }
  return text.slice(0, 2 * length);
}

/** The bytes with one bit flipped. */
export function flip(text: string, offset: number, xor: number = 1): string {
  const bytes = unhex(text);
  const at = offset < 0 ? bytes.length + offset : offset;
  bytes[at] = (bytes[at] as number) ^ xor;
  return hex(bytes);
}

export function test(
  comment: string,
  op: string,
  fields: Readonly<Record<string, unknown>>,
): RuleTest {
  return { comment, request: { op, ...(fields as Record<string, Json>) } };
}
