/**
 * What the command says: lines for people on standard error, results on standard output, or one JSON object per line.
 *
 * @module
 */
import type { FileProgress, FolderProgress } from "../endpoint/files/mod.ts";
import { SttError } from "../errors.ts";
import type { CliIo, CliOutput } from "./io.ts";
import { progressBar, progressLine, type ProgressState } from "./progress.ts";
import { printable, wrapped } from "./text.ts";

const UNESCAPED = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Narrower terminals break words. */
const MIN_COLUMNS = 30;
const BAR_MS = 100;
const LINE_MS = 5000;
const JSON_MS = 200;

/** How much is said and in which form. */
export interface ReportOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Standard output carries the data of a file: everything else goes to standard error. */
  readonly dataOnStdout?: boolean;
}

/** The facts of an event: what is undefined is left out. */
export type EventFacts = Readonly<Record<string, unknown>>;

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Times have more digits than clocks are exact: three are a microsecond. */
function rounded(_: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isInteger(value)) return value;
  return Math.round(value * 1000) / 1000;
}

/** Speaks for one run of the command. */
export class Report {
  readonly #io: CliIo;
  readonly #options: ReportOptions;
  /** Something stands on the current line that the next one takes the place of. */
  #lineShown = false;

  constructor(io: CliIo, options: ReportOptions) {
    this.#io = io;
    this.#options = options;
  }

  get #events(): CliOutput {
    return this.#options.dataOnStdout === true ? this.#io.stderr : this.#io.stdout;
  }

  /** Something happened. `text` is for people; `--quiet` hides it. */
  event(name: string, facts: EventFacts, text: string): void {
    if (this.#options.json) this.#json(name, facts);
    else if (!this.#options.quiet) this.#line(text);
  }

  /** What the user asked for: on standard output, `--quiet` or not. */
  result(name: string, facts: EventFacts, text: string): void {
    if (this.#options.json) return this.#json(name, facts);
    this.#clearBar();
    this.#io.stdout.text(`${text}\n`);
  }

  /** Something to look at that does not end the run: `--quiet` does not hide it. */
  warning(name: string, facts: EventFacts, text: string): void {
    if (this.#options.json) this.#json(name, facts);
    else this.#line(`stt: ${printable(text)}`);
  }

  /** {@link Report.warning} of an error that something beside the run met. */
  readonly warnOf = (error: unknown): void => {
    const code = error instanceof SttError ? error.code : "INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    this.warning("warning", { code, message }, message);
  };

  /** Why the run fails. */
  failure(code: string, message: string, exit: number, hint?: string): void {
    if (this.#options.json) return this.#json("error", { code, message, exit, hint });
    this.#line(`stt: ${printable(message)}`);
    if (hint !== undefined) this.#line(hint);
  }

  /** Takes away what a terminal shows on the current line: the `^C` that ended the run. */
  dropLine(): void {
    this.#lineShown ||= this.#io.stderr.isTty && !this.#options.json;
  }

  /** A function for progress callbacks of one transfer. */
  progress(): (progress: FileProgress | FolderProgress) => void {
    const started = this.#io.now();
    let shown = started;
    const tty = this.#io.stderr.isTty && !this.#options.json;
    const pause = tty ? BAR_MS : this.#options.json ? JSON_MS : LINE_MS;
    if (this.#options.quiet) return () => undefined;
    return (progress) => {
      const { name, bytes, size, resumed } = progress;
      const now = this.#io.now();
      if (now - shown < pause) return;
      shown = now;
      const ms = now - started;
      const counts = "entries" in progress
        ? { entries: progress.entries, allEntries: progress.allEntries }
        : undefined;
      const label = counts === undefined ? name : `${name} ${counts.entries}/${counts.allEntries}`;
      const state: ProgressState = { name: label, bytes, size, resumed, elapsedMs: ms };
      if (this.#options.json) this.#json("progress", { name, bytes, size, ms, ...counts });
      else if (tty) this.#bar(state);
      else this.#line(progressLine(state));
    };
  }

  #json(name: string, facts: EventFacts): void {
    const text = JSON.stringify({ event: name, ...facts }, rounded);
    // JSON leaves some characters as they are that move a terminal's cursor or turn its text round.
    this.#events.text(`${text.replace(UNESCAPED, escapeOf)}\n`);
  }

  #line(text: string): void {
    this.#clearBar();
    this.#io.stderr.text(`${this.#fitted(text)}\n`);
  }

  /** A terminal breaks long lines anywhere; logs keep them whole. */
  #fitted(text: string): string {
    const { isTty, columns } = this.#io.stderr;
    if (!isTty) return text;
    const width = Math.max(MIN_COLUMNS, columns - 3);
    return text.split("\n").map((line) => wrapped(line, width).join("\n  ")).join("\n");
  }

  #bar(state: ProgressState): void {
    // One column stays free: some terminals wrap when the last one is used.
    const line = progressBar(state, this.#io.stderr.columns - 1);
    this.#io.stderr.text(`\r${line}\x1b[K`);
    this.#lineShown = true;
  }

  #clearBar(): void {
    if (!this.#lineShown) return;
    this.#io.stderr.text("\r\x1b[K");
    this.#lineShown = false;
  }
}
