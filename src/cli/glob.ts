/**
 * Patterns of `--exclude`, as ignore files of version control have them.
 *
 * @module
 */
import { UsageError } from "./exit_codes.ts";

/**
 * Whether a path is excluded. Without `/`, a pattern is for names at any depth; with one, for paths from the folder on;
 * with one at its end, for folders alone. `*` and `?` stand for anything but `/`, `**` for that too, `[a-z]` and `[!a]`
 * for one character.
 *
 * @throws {UsageError} for a pattern that is empty or has an open bracket.
 */
export function excluder(
  patterns: readonly string[],
): (path: string, isFolder: boolean) => boolean {
  const rules = patterns.map(rule);
  return (path, isFolder) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return rules.some(({ states, whole, folders }) =>
      (isFolder || !folders) && matches(states, whole ? path : name)
    );
  };
}

/** One place in a pattern, and where its characters lead from there. */
interface State {
  /** Each that fits is taken, so several may be. */
  readonly moves: readonly { readonly fits: (character: string) => boolean; readonly to: number }[];
  /** Reached without a character. */
  readonly skipTo?: number;
}

interface Rule {
  readonly states: readonly State[];
  /** For the whole path, not its last name. */
  readonly whole: boolean;
  readonly folders: boolean;
}

function rule(pattern: string): Rule {
  const folders = pattern.endsWith("/");
  const text = folders ? pattern.slice(0, -1) : pattern;
  const whole = text.includes("/");
  const bare = text.replace(/^\//, "");
  if (bare === "") throw badPattern(pattern);
  return { states: statesOf(bare, pattern), whole, folders };
}

/**
 * All places of the pattern where the text may be are followed at once, so that the work is at most their product,
 * whatever the name. A backtracking expression takes for ever for some names, and names may come from anybody.
 */
function matches(states: readonly State[], text: string): boolean {
  let current = new Set<number>();
  enter(states, 0, current);
  for (const character of text) {
    const next = new Set<number>();
    for (const at of current) {
      for (const { fits, to } of states[at]?.moves ?? []) {
        if (fits(character)) enter(states, to, next);
      }
    }
    if (next.size === 0) return false;
    current = next;
  }
  return current.has(states.length);
}

function enter(states: readonly State[], at: number, into: Set<number>): void {
  for (let state: number | undefined = at; state !== undefined && !into.has(state);) {
    into.add(state);
    state = states[state]?.skipTo;
  }
}

const anything = (): boolean => true;
const isSlash = (character: string): boolean => character === "/";
const noSlash = (character: string): boolean => character !== "/";

function statesOf(text: string, pattern: string): State[] {
  const states: State[] = [];
  const one = (fits: (character: string) => boolean): void => {
    states.push({ moves: [{ fits, to: states.length + 1 }] });
  };
  const many = (fits: (character: string) => boolean): void => {
    states.push({ moves: [{ fits, to: states.length }], skipTo: states.length + 1 });
  };
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const [token] = /^(?:\*\*\/|\/\*\*$|\*\*|\*|\?|\[!?\]?[^\]]*\]|.)/su.exec(
      rest,
    ) as RegExpExecArray;
    at += token.length;
    if (token === "**/") {
      // Any number of names, each with the slash behind it: the second place is within a name.
      const start = states.length;
      states.push({ moves: [{ fits: noSlash, to: start + 1 }], skipTo: start + 2 });
      states.push({
        moves: [{ fits: noSlash, to: start + 1 }, { fits: isSlash, to: start }],
      });
    } else if (token === "/**") {
      one(isSlash);
      one(anything);
      many(anything);
    } else if (token === "**") many(anything);
    else if (token === "*") many(noSlash);
    else if (token === "?") one(noSlash);
    else if (token === "[") throw badPattern(pattern);
    else if (token.startsWith("[")) {
      const expression = characters(token);
      one((character) => character !== "/" && expression.test(character));
    } else one((character) => character === token);
  }
  return states;
}

function characters(token: string): RegExp {
  const inner = token.slice(1, -1).replace(/^!/, "").replace(/[\\\][&^]/g, "\\$&");
  try {
    return new RegExp(`^[${token.startsWith("[!") ? "^" : ""}${inner}]$`, "u");
  } catch {
    throw badPattern(token);
  }
}

function badPattern(pattern: string): UsageError {
  return new UsageError(`--exclude cannot use the pattern ${JSON.stringify(pattern.slice(0, 64))}`);
}
