/**
 * Where a chat is read and written: a terminal, whose prompt stays below what arrives, or lines through pipes.
 *
 * @module
 */
import { Interrupted } from "../exit_codes.ts";
import type { CliIo, CliOutput } from "../io.ts";
import { type Style, styleOf } from "../style.ts";
import { printable } from "../text.ts";
import { LineEditor } from "./line_editor.ts";
import type { ChatLine } from "./wire.ts";

const PROMPT = "> ";
const MIN_COLUMNS = 4;

/** The world with the lines of a chat in it. */
export interface ChatScreen {
  /** The same world; what goes to its outputs leaves the prompt whole. */
  readonly io: CliIo;
  /** Whether somebody types on a terminal. */
  readonly interactive: boolean;
  /** Shows a line that arrived. */
  show(line: ChatLine): void;
  /** Lines to send, until the end of the input. Throws `Interrupted` for Ctrl-C. */
  lines(): AsyncIterable<string>;
  /** Gives the terminal back. */
  close(): void;
}

/** How a line that arrived looks. */
export function lineText({ from, text }: ChatLine, style: Style): string {
  if (from === "") return style("dim", `* ${printable(text)}`);
  return `${style("bold", `${printable(from)}:`)} ${printable(text)}`;
}

/** The screen that this process has. */
export function openScreen(io: CliIo, json: boolean): ChatScreen {
  return io.stdin.isTty && io.stdout.isTty && !json ? new TerminalScreen(io) : new PlainScreen(io);
}

/** Lines in, lines out. */
class PlainScreen implements ChatScreen {
  readonly io: CliIo;
  readonly interactive = false;
  readonly #style: Style;

  constructor(io: CliIo) {
    this.io = io;
    this.#style = styleOf(io.stdout, io);
  }

  show(line: ChatLine): void {
    this.io.stdout.text(`${lineText(line, this.#style)}\n`);
  }

  async *lines(): AsyncGenerator<string, void, void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.io.stdin.bytes()) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) yield line.replace(/\r$/, "");
      // What never ends is no line; it is sent in pieces all the same.
      if (rest.length > 65_536) {
        yield rest;
        rest = "";
      }
    }
    if (rest !== "") yield rest;
  }

  close(): void {
    this.io.stdin.release();
  }
}

/** A prompt on the last line, one row high whatever is typed. */
class TerminalScreen implements ChatScreen {
  readonly io: CliIo;
  readonly interactive = true;
  readonly #out: CliOutput;
  readonly #style: Style;
  readonly #editor: LineEditor = new LineEditor();
  readonly #typed: string[] = [];
  readonly #endKeys: () => void;
  readonly #endResize: () => void;
  #over: "end" | "interrupt" | undefined;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(io: CliIo) {
    this.#out = io.stdout;
    this.#style = styleOf(io.stdout, io);
    this.io = { ...io, stdout: this.#above(io.stdout), stderr: this.#above(io.stderr) };
    this.#endKeys = io.stdin.keys((keys) => this.#onKeys(keys));
    this.#endResize = io.stdout.onResize?.(() => this.#draw()) ?? (() => undefined);
    this.#draw();
  }

  show(line: ChatLine): void {
    this.io.stdout.text(`${lineText(line, this.#style)}\n`);
  }

  async *lines(): AsyncGenerator<string, void, void> {
    for (;;) {
      const line = this.#typed.shift();
      if (line !== undefined) yield line;
      else if (this.#over === "interrupt") throw new Interrupted("SIGINT");
      else if (this.#over === "end") return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#out.text("\r\x1b[K");
    this.#endKeys();
    this.#endResize();
    this.io.stdin.release();
  }

  #onKeys(keys: string): void {
    for (const event of this.#editor.feed(keys)) {
      if (event.type !== "line") {
        this.#over ??= event.type;
        // Who leaves may have to wait for the other side, and Ctrl-C must be a signal then: keys have no reader.
        this.close();
      } else if (event.text.trim() !== "") {
        // What was typed stays on the screen, above the prompt.
        this.#out.text(`\r\x1b[K${this.#style("dim", PROMPT)}${event.text}\n`);
        this.#typed.push(event.text);
      }
    }
    this.#draw();
    this.#wake();
  }

  #draw(): void {
    if (this.#closed) return;
    const columns = Math.max(MIN_COLUMNS, this.#out.columns - PROMPT.length - 1);
    const { text, column } = this.#editor.view(columns);
    const at = PROMPT.length + column + 1;
    this.#out.text(`\r\x1b[K${this.#style("bold", PROMPT)}${text}\x1b[${at}G`);
  }

  #above(output: CliOutput): CliOutput {
    return {
      get isTty() {
        return output.isTty;
      },
      get columns() {
        return output.columns;
      },
      text: (text) => {
        if (this.#closed || !output.isTty) return output.text(text);
        output.text(`\r\x1b[K${text}`);
        this.#draw();
      },
      bytes: (chunk) => output.bytes(chunk),
    };
  }
}
