/**
 * One line that is being typed: keys go in, finished lines come out. Pure; the terminal is somebody else's.
 *
 * @module
 */
import { textWidth } from "../text.ts";
import { LINE_MAX_BYTES } from "./wire.ts";

const HISTORY = 100;
/** An escape sequence is not longer; what is, was none. */
const MAX_SEQUENCE = 16;

/** What came of some keys. */
export type EditorEvent =
  | { readonly type: "line"; readonly text: string }
  /** Ctrl-C. */
  | { readonly type: "interrupt" }
  /** Ctrl-D on an empty line. */
  | { readonly type: "end" };

/** What to draw: text that fits the columns, and where the cursor stands in it. */
export interface EditorView {
  readonly text: string;
  readonly column: number;
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns of one character as people see it: what is joined from several is no wider than two. */
function widthOf(grapheme: string): number {
  return Math.min(2, textWidth(grapheme));
}

/** A line editor with the keys that shells have. */
export class LineEditor {
  #graphemes: string[] = [];
  #cursor = 0;
  #pending = "";
  readonly #history: string[] = [];
  /** Lines back from the newest; 0 is the one being typed. */
  #back = 0;
  #draft = "";

  /** Keys as the terminal sends them; a sequence may come in parts. */
  feed(keys: string): EditorEvent[] {
    const events: EditorEvent[] = [];
    this.#pending += keys;
    while (this.#pending !== "") {
      const key = takeKey(this.#pending);
      if (key === undefined) break;
      this.#pending = this.#pending.slice(key.length);
      const event = this.#press(key);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** The part of the line that fits, with the cursor in it. `columns`: at least 4. */
  view(columns: number): EditorView {
    const widths = this.#graphemes.map(widthOf);
    const before = sum(widths.slice(0, this.#cursor));
    let start = 0;
    let hidden = 0;
    // One column stays for the cursor behind the last character.
    while (before - hidden > columns - 1) hidden += widths[start++] ?? 1;
    let text = "";
    let used = 0;
    for (let at = start; at < this.#graphemes.length; at++) {
      const width = widths[at] ?? 1;
      if (used + width > columns) break;
      text += this.#graphemes[at];
      used += width;
    }
    return { text, column: before - hidden };
  }

  #press(key: string): EditorEvent | undefined {
    switch (key) {
      case "\r":
      case "\n":
        return this.#enter();
      case "\x03":
        return { type: "interrupt" };
      case "\x04":
        if (this.#graphemes.length === 0) return { type: "end" };
        this.#remove(this.#cursor, this.#cursor + 1);
        return undefined;
      case "\x7f":
      case "\b":
        this.#remove(this.#cursor - 1, this.#cursor);
        return undefined;
      case "\x1b[3~":
        this.#remove(this.#cursor, this.#cursor + 1);
        return undefined;
      case "\x15": // Ctrl-U
        this.#remove(0, this.#cursor);
        return undefined;
      case "\x0b": // Ctrl-K
        this.#remove(this.#cursor, this.#graphemes.length);
        return undefined;
      case "\x17": // Ctrl-W
        this.#remove(this.#wordStart(), this.#cursor);
        return undefined;
      case "\x01": // Ctrl-A
      case "\x1b[H":
      case "\x1bOH":
      case "\x1b[1~":
        this.#cursor = 0;
        return undefined;
      case "\x05": // Ctrl-E
      case "\x1b[F":
      case "\x1bOF":
      case "\x1b[4~":
        this.#cursor = this.#graphemes.length;
        return undefined;
      case "\x02": // Ctrl-B
      case "\x1b[D":
      case "\x1bOD":
        this.#cursor = Math.max(0, this.#cursor - 1);
        return undefined;
      case "\x06": // Ctrl-F
      case "\x1b[C":
      case "\x1bOC":
        this.#cursor = Math.min(this.#graphemes.length, this.#cursor + 1);
        return undefined;
      case "\x1b[A":
      case "\x1bOA":
        return this.#recall(this.#back + 1);
      case "\x1b[B":
      case "\x1bOB":
        return this.#recall(this.#back - 1);
      case "\t":
        return this.#insert(" ");
      default:
        return /^\p{Cc}/u.test(key) ? undefined : this.#insert(key);
    }
  }

  #enter(): EditorEvent {
    const text = this.#graphemes.join("");
    if (text.trim() !== "" && this.#history.at(-1) !== text) this.#history.push(text);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#back = 0;
    this.#set("");
    return { type: "line", text };
  }

  #insert(text: string): undefined {
    const left = this.#graphemes.slice(0, this.#cursor).join("");
    const after = this.#graphemes.slice(this.#cursor).join("");
    const before = left + fitting(text, LINE_MAX_BYTES - bytesOf(left + after));
    // What was typed may join the character before it.
    this.#graphemes = graphemesOf(before + after);
    this.#cursor = Math.min(this.#graphemes.length, graphemesOf(before).length);
    return undefined;
  }

  #remove(from: number, to: number): void {
    const start = Math.max(0, from);
    this.#graphemes.splice(start, to - start);
    if (this.#cursor > start) this.#cursor = start;
  }

  #wordStart(): number {
    let at = this.#cursor;
    while (at > 0 && /^\s/.test(this.#graphemes[at - 1] ?? "")) at--;
    while (at > 0 && !/^\s/.test(this.#graphemes[at - 1] ?? "")) at--;
    return at;
  }

  #recall(back: number): undefined {
    if (back < 0 || back > this.#history.length) return undefined;
    if (this.#back === 0) this.#draft = this.#graphemes.join("");
    this.#back = back;
    this.#set(back === 0 ? this.#draft : this.#history.at(-back) ?? "");
    return undefined;
  }

  #set(text: string): void {
    this.#graphemes = graphemesOf(text);
    this.#cursor = this.#graphemes.length;
  }
}

function graphemesOf(text: string): string[] {
  return [...SEGMENTER.segment(text)].map(({ segment }) => segment);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** As many whole characters as fit into so many bytes. */
function fitting(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, bytes)));
  return text.slice(0, read);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** The first key of what was typed; undefined while it may go on. */
function takeKey(typed: string): string | undefined {
  const plain = /^\P{Cc}+/u.exec(typed)?.[0];
  // A paste is one key, or each of its characters would have the whole line looked at.
  if (plain !== undefined) return plain;
  if (typed[0] !== "\x1b") return typed.slice(0, 1);
  if (typed.length === 1) return undefined;
  if (typed[1] === "O") return typed.length < 3 ? undefined : typed.slice(0, 3);
  // Alt with a key does nothing.
  if (typed[1] !== "[") return typed.slice(0, 2);
  const sequence = /^[0-?]*[ -/]*[@-~]/.exec(typed.slice(2))?.[0];
  if (sequence !== undefined) return typed.slice(0, 2 + sequence.length);
  return typed.length < MAX_SEQUENCE ? undefined : typed.slice(0, 1);
}
