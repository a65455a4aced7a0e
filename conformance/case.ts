/** A case, its verdict, and the checks a case is made of. @module */
import type { Answer, Implementation, Json, JsonObject, Request } from "./protocol.ts";

/** A broken MUST is a failure; a broken SHOULD makes the program not strict. */
export type Level = "MUST" | "SHOULD";

/** `not-strict`: works with conforming peers, but not as the specification says in every point. */
export type Verdict = "pass" | "fail" | "not-strict" | "unsupported";

export interface Case {
  /** Section number, a dot, and a name that never changes: `1.3-non-minimal`. */
  readonly id: string;
  /** Section of SPEC.md. */
  readonly section: string;
  readonly level: Level;
  readonly title: string;
  /** Takes long: left out where many programs are run in turn. */
  readonly slow?: boolean;
  run(check: Check): Promise<void>;
}

export interface CaseResult {
  readonly id: string;
  readonly section: string;
  readonly level: Level;
  readonly title: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly milliseconds: number;
}

/** The case fails; the message says what was expected and what came. */
export class Failure extends Error {}

/** The program does not know the operation. */
export class Unsupported extends Error {}

// "Incomplete" and "malformed" are different errors (SPEC 1): a stream reader waits for more after the first only.
const INCOMPLETE: ReadonlySet<string> = new Set(["VARINT_INCOMPLETE", "FRAME_INCOMPLETE"]);

/** What a case may do with the program, and how it states what it expects. */
export class Check {
  readonly #implementation: Implementation;
  /** Points in which the program is not strict. */
  readonly notes: string[] = [];

  constructor(implementation: Implementation) {
    this.#implementation = implementation;
  }

  async call(request: Request): Promise<Exclude<Answer, { unsupported: true }>> {
    const answer = await this.#implementation.call(request);
    if ("unsupported" in answer) throw new Unsupported(request.op);
    return answer;
  }

  /** The result of an operation that must succeed. */
  async ok(request: Request): Promise<JsonObject> {
    const answer = await this.call(request);
    if ("error" in answer) {
      throw new Failure(`${request.op} was refused with ${answer.error}${suffix(answer.message)}`);
    }
    return answer.ok;
  }

  /** The operation must succeed and give at least these results. */
  async gives(request: Request, expected: JsonObject): Promise<JsonObject> {
    const actual = await this.ok(request);
    for (const [key, value] of Object.entries(expected)) {
      this.equal(actual[key] ?? null, value, `${request.op}: ${key}`);
    }
    return actual;
  }

  /** The operation must be refused, if possible with one of these codes. */
  async refuses(request: Request, ...codes: string[]): Promise<void> {
    const answer = await this.call(request);
    if ("ok" in answer) {
      throw new Failure(
        `${request.op} accepted what must be refused with ${codes.join(" or ")}: ${
          brief(answer.ok)
        }`,
      );
    }
    this.code(answer.error, codes);
  }

  /** Compares an error code. */
  code(actual: string, codes: readonly string[]): void {
    if (codes.length === 0 || codes.includes(actual)) return;
    if (codes.every((code) => INCOMPLETE.has(code)) !== INCOMPLETE.has(actual)) {
      throw new Failure(`refused with ${actual}, expected ${codes.join(" or ")}`);
    }
    this.note(`refused with ${actual}, expected ${codes.join(" or ")}`);
  }

  equal(actual: Json, expected: Json, what: string): void {
    if (canonical(actual) !== canonical(expected)) {
      throw new Failure(`${what} is ${brief(actual)}, expected ${brief(expected)}`);
    }
  }

  isTrue(condition: boolean, what: string): asserts condition {
    if (!condition) throw new Failure(what);
  }

  /** The data must agree with the twin, else the data (or the twin) are wrong. */
  data(actual: Json, twin: Json, what: string): void {
    if (canonical(actual) !== canonical(twin)) {
      throw new Failure(
        `data mismatch: ${what} is ${brief(actual)} in the data, but SPEC.md gives ${brief(twin)}`,
      );
    }
  }

  /** The program works, but is not strict. */
  note(text: string): void {
    this.notes.push(text);
  }
}

function suffix(message: string | undefined): string {
  return message === undefined ? "" : ` (${message.slice(0, 200)})`;
}

/** JSON with sorted keys. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${
      entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")
    }}`;
  }
  return JSON.stringify(value);
}

export function brief(value: Json): string {
  const text = canonical(value);
  return text.length <= 160 ? text : `${text.slice(0, 120)}… (${text.length} characters)`;
}
