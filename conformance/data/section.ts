/** Cases out of the sections of a data file. @module */
import type { Case, Check, Level } from "../case.ts";
import { isObject, type Json, type JsonObject } from "../protocol.ts";

/** A data file that was read. */
export interface DataFile {
  /** Path below the directory given, for case ids. */
  readonly path: string;
  readonly content: JsonObject;
}

/** What JSON gives. Data are checked where they are used: what is missing makes a case fail, and never the run. */
export type Entry = ReturnType<typeof JSON.parse>;

export interface EntryCase {
  /** Tells the cases of one entry apart. */
  readonly name?: string;
  readonly section?: string;
  readonly level?: Level;
  readonly title?: string;
  readonly slow?: boolean;
  run(check: Check): Promise<void> | void;
}

/** Collects the cases of one file, and what the file holds that nobody asked about. */
export class FileCases {
  readonly cases: Case[] = [];
  readonly #file: DataFile;
  readonly #section: string;
  readonly #known = new Set<string>([
    "source",
    "note",
    "notes",
    "schema",
    "$schema",
    "description",
  ]);

  constructor(file: DataFile, section: string) {
    this.#file = file;
    this.#section = section;
  }

  /** Keys that describe the data. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.#known.add(key);
  }

  /** The cases of each entry of a list, if the file has the list. */
  list(key: string, make: (entry: Entry, index: number) => readonly EntryCase[]): void {
    this.#known.add(key);
    this.nested(key, this.#file.content[key], make);
  }

  /** The cases of a list inside an entry. */
  nested(
    place: string,
    list: Json | undefined,
    make: (entry: Entry, index: number) => readonly EntryCase[],
  ): void {
    if (list === undefined) return;
    if (!Array.isArray(list)) {
      this.#broken(place, "is not a list");
      return;
    }
    for (const [index, entry] of list.entries()) {
      this.add(`${place}/${index}`, entry, () => make(entry, index));
    }
  }

  /** The cases of one object, if the file has it. */
  object(key: string, make: (entry: Entry) => readonly EntryCase[]): void {
    this.#known.add(key);
    const entry = this.#file.content[key];
    if (entry !== undefined) this.add(key, entry, () => make(entry));
  }

  add(place: string, entry: Json | undefined, make: () => readonly EntryCase[]): void {
    let made: readonly EntryCase[];
    try {
      made = make();
    } catch (error) {
      this.#broken(place, `cannot be read: ${error instanceof Error ? error.message : error}`);
      return;
    }
    const note = isObject(entry) && typeof entry.note === "string" ? entry.note : "";
    for (const one of made) {
      const section = one.section ?? this.#section;
      const suffix = one.name === undefined ? "" : `/${one.name}`;
      this.cases.push({
        id: `${section}-${this.#file.path}/${place}${suffix}`,
        section,
        level: one.level ?? "MUST",
        title: one.title ?? ([one.name, note].filter((text) => text).join(": ") || place),
        slow: one.slow ?? false,
        run: async (check) => await one.run(check),
      });
    }
  }

  /** Sections that this runner has no rule for: shown, so that nobody takes them for checked. */
  finish(): Case[] {
    for (const key of Object.keys(this.#file.content)) {
      if (this.#known.has(key)) continue;
      const value = this.#file.content[key];
      if (Array.isArray(value) || isObject(value)) {
        this.#broken(key, "is a section unknown to this runner");
      }
    }
    return this.cases;
  }

  #broken(place: string, what: string): void {
    this.cases.push({
      id: `${this.#section}-${this.#file.path}/${place}`,
      section: this.#section,
      level: "MUST",
      title: `${place} ${what}`,
      run: () => Promise.reject(new Error(`${this.#file.path}: ${place} ${what}`)),
    });
  }
}
