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

function source(text: string, pattern: string): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at);
    const [token] = /^(?:\*\*\/|\/\*\*$|\*\*|\*|\?|\[!?\]?[^\]]*\]|.)/su.exec(
      rest,
    ) as RegExpExecArray;
    at += token.length;
    if (token === "**/") out += "(?:[^/]+/)*";
    else if (token === "/**") out += "/.+";
    else if (token === "**") out += ".*";
    else if (token === "*") out += "[^/]*";
    else if (token === "?") out += "[^/]";
    else if (token === "[") throw badPattern(pattern);
    else if (token.startsWith("[")) out += `(?!/)${characters(token)}`;
    else out += escaped(token);
  }
  return out;
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
