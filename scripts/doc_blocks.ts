/**
 * Code blocks of the documents, and what they say is printed.
 *
 * @module
 */

/** A block between two fences. */
export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1 on. */
  readonly line: number;
  /** `ts`, `sh`, `text`, … */
  readonly language: string;
  readonly text: string;
  /** Whether nothing but blank lines stands between the block before and this one. */
  readonly follows: boolean;
  /** Names that the line of prose before gives it: "Save this as `hello.ts` …:". */
  readonly files: readonly string[];
  /** Part of a transcript, which leaves out lines and shows others that only a terminal has. */
  readonly loose?: boolean;
}

/** The blocks of a page in order. */
export function blocksOf(page: string, markdown: string): Block[] {
  const found: Block[] = [];
  let language: string | undefined;
  let lines: string[] = [];
  let begin = 0;
  let prose: string | undefined = "";
  markdown.split("\n").forEach((line, index) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) {
      if (language !== undefined) lines.push(line);
      else if (line.trim() !== "") prose = line;
    } else if (language === undefined) {
      [language, lines, begin] = [fence[1]!, [], index + 2];
    } else {
      found.push({
        page,
        line: begin,
        language,
        text: lines.join("\n"),
        follows: prose === undefined,
        files: [...(prose ?? "").matchAll(/\bas `([\w.]+\.\w+)`/g)].map(([, name]) => name!),
      });
      language = undefined;
      prose = undefined;
    }
  });
  return found;
}

/** The docstrings of a source file, as a page. */
export function docstringsOf(source: string): string {
  return source.split("\n").map((line) => /^ *\* ?(.*)$/.exec(line)?.[1] ?? "").join("\n");
}

/** The comments behind `console.log(…);`: what the page says is printed there. */
export function promisedLines(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\)\)?[;,]? \/\/ (.+)$/gm)].map(([, text]) => text!);
}

/**
 * Whether a comment names a line: alone, or before a remark (`3: why`, `3 (why)`, `3, then 4`). Quotes do not count:
 * comments write strings with them, and runtimes print some with single ones.
 */
export function names(promise: string, printed: string): boolean {
  const [wanted, line] = [promise, printed].map((text) => text.replaceAll(/["']/g, "")) as [
    string,
    string,
  ];
  return wanted === line || [":", ",", " ("].some((remark) => wanted.startsWith(line + remark));
}

/** The promises that no printed line keeps. */
export function broken(code: string, printed: readonly string[]): string[] {
  return promisedLines(code).filter((promise) => !printed.some((line) => names(promise, line)));
}

/** The commands of an `sh` block, without prompts and remarks; a backslash at the end joins lines. */
export function commandsOf(text: string): string[] {
  return text.replaceAll(/\\\n\s*/g, "").split("\n")
    .map((line) => line.replace(/(?:^|\s+)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** The commands behind the prompts of a `text` block as `sh` blocks, each followed by what is shown below it. */
export function transcriptOf(block: Block): Block[] {
  if (block.language !== "text" || !/^\$ /m.test(block.text)) return [block];
  return block.text.split(/^(?=\$ )/m).flatMap((part) => {
    const [command = "", ...shown] = part.trimEnd().split("\n");
    const common = { ...block, loose: true, files: [] };
    return [
      { ...common, language: "sh", text: command.replace(/^\$ /, "") },
      ...(shown.length > 0
        ? [{ ...common, language: "text", text: shown.join("\n"), follows: true }]
        : []),
    ];
  });
}

/** Whether an output is the one shown: the same in shape, or, where a transcript leaves lines out, with all that it has. */
export function isShown(output: string, shown: string, loose: boolean): boolean {
  if (!loose) return shape(output) === shape(shown);
  const said = shape(output).split("\n");
  const expected = shape(shown.split("\n").filter((line) => !/…|\[#+-*\]/.test(line)).join("\n"));
  return expected.split("\n").every((line) => line === "" || said.includes(line));
}

/** Output with everything that differs from run to run taken out: times, sizes, ports, ids, names of folders. */
export function shape(output: string): string {
  // deno-lint-ignore no-control-regex
  const plain = output.replaceAll(/\x1b\[[\d;]*m/g, "");
  return plain.split("\n")
    .map((line) => line.trimEnd())
    // `deno task` says what it runs.
    .filter((line) => line !== "" && !/^Task \w/.test(line))
    .map((line) =>
      line.replaceAll(/\b[0-9a-f]{16,}\b/g, "HEX")
        .replaceAll(/\/\S*\/stt-[\w-]+/g, "FOLDER")
        .replaceAll(/\d+(?:\.\d+)?/g, "N")
        .replaceAll(/N (?:ms|s)\b/g, "TIME")
        .replaceAll(/N (?:[kMG]?B)\b/g, "SIZE")
    )
    .join("\n");
}
