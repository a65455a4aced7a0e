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
    return rules.some(({ expression, whole, folders }) =>
      (isFolder || !folders) && expression.test(whole ? path : name)
    );
  };
}

interface Rule {
  readonly expression: RegExp;
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
  return { expression: new RegExp(`^${source(bare, pattern)}$`, "su"), whole, folders };
}

/** A part of a pattern as a regular expression has it. */
interface Part {
  readonly kind: "star" | "deep" | "slash" | "one";
  readonly source: string;
}

function source(text: string, pattern: string): string {
  const parts = partsOf(text, pattern);
  let out = "";
  for (let at = 0; at < parts.length; at++) {
    const { kind, source } = parts[at] as Part;
    const next = parts.findIndex((part, index) => index > at && part.kind !== "one");
    const fixed = parts.slice(at + 1, next).map((part) => part.source).join("");
    if (kind !== "star" || parts[next]?.kind !== "star") {
      out += source;
      continue;
    }
    // What stands between two stars may as well be found where it is first: what a lookahead has found it does not look for
    // again, or a name could be made that takes for ever.
    out += `(?=(?<s${at}>${source}?${fixed}))\\k<s${at}>`;
    at = next - 1;
  }
  return out;
}

function partsOf(text: string, pattern: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const [token] = /^(?:\*\*\/|\/\*\*$|\*\*|\*|\?|\[!?\]?[^\]]*\]|.)/su.exec(
      rest,
    ) as RegExpExecArray;
    at += token.length;
    if (token === "**/") parts.push({ kind: "deep", source: "(?:[^/]+/)*" });
    else if (token === "/**") parts.push({ kind: "deep", source: "/.+" });
    else if (token === "**") parts.push({ kind: "deep", source: ".*" });
    else if (token === "*") parts.push({ kind: "star", source: "[^/]*" });
    else if (token === "/") parts.push({ kind: "slash", source: "/" });
    else if (token === "?") parts.push({ kind: "one", source: "[^/]" });
    else if (token === "[") throw badPattern(pattern);
    else if (token.startsWith("[")) {
      parts.push({ kind: "one", source: `(?!/)${characters(token)}` });
    } else parts.push({ kind: "one", source: escaped(token) });
  }
  return parts;
}

function characters(token: string): string {
  const inner = token.slice(1, -1).replace(/^!/, "").replace(/[\\\][&^]/g, "\\$&");
  try {
    new RegExp(`[${inner}]`, "u");
  } catch {
    throw badPattern(token);
  }
  return token.startsWith("[!") ? `[^${inner}]` : `[${inner}]`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
}

function badPattern(pattern: string): UsageError {
  return new UsageError(`--exclude cannot use the pattern ${JSON.stringify(pattern.slice(0, 64))}`);
}
