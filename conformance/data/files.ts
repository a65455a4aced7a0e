/** Finds data files below a directory and knows their schemas by name or content. @module */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Case } from "../case.ts";
import { isObject, type Json, type JsonObject } from "../protocol.ts";
import { frameCases } from "./frames.ts";
import { handshakeCases } from "./handshake.ts";
import { messageCases } from "./messages.ts";
import { noiseCases } from "./noise.ts";
import { recordCases } from "./records.ts";
import type { DataFile } from "./section.ts";
import { operationCases } from "./operations.ts";
import { valueCases } from "./values.ts";
import { varintCases } from "./varint.ts";

const OWN_FORMAT = "stt-operations-1";

type Reader = (file: DataFile) => Case[];

const READERS: Readonly<Record<string, Reader>> = {
  varint: varintCases,
  values: valueCases,
  frames: frameCases,
  handshake_messages: messageCases,
  noise: noiseCases,
  handshake: handshakeCases,
  records: recordCases,
};

export interface LoadedData {
  readonly cases: Case[];
  /** Files that were read, and how many cases each gave. */
  readonly files: { readonly path: string; readonly cases: number }[];
  /** Files of other kinds, with the reason. */
  readonly skipped: { readonly path: string; readonly reason: string }[];
}

/**
 * All cases of the data files in `directory` and the directories below it; without those of this project's own schema
 * where the built-in cases, which they were made from, run anyway.
 */
export function loadData(directory: string, own: boolean = true): LoadedData {
  const loaded: LoadedData = { cases: [], files: [], skipped: [] };
  for (const file of jsonFiles(directory)) {
    const path = relative(directory, file).replaceAll("\\", "/");
    let content: Json;
    try {
      content = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
      loaded.cases.push(
        broken(path, `cannot be read: ${error instanceof Error ? error.message : error}`),
      );
      continue;
    }
    if (!own && isObject(content) && content.format === OWN_FORMAT) continue;
    const reader = isObject(content) ? readerOf(path, content) : undefined;
    if (typeof reader !== "function") {
      loaded.skipped.push({ path, reason: reader ?? "no schema that this runner knows" });
      continue;
    }
    const cases = reader({ path, content: content as JsonObject });
    if (cases.length === 0) cases.push(broken(path, "holds no entry"));
    loaded.cases.push(...cases);
    loaded.files.push({ path, cases: cases.length });
  }
  return loaded;
}

function jsonFiles(directory: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    // JSON Schemas beside the data are no data.
    if (statSync(path).isDirectory()) {
      if (name !== "schema") found.push(...jsonFiles(path));
    } else if (name.endsWith(".json")) found.push(path);
  }
  return found;
}

function readerOf(path: string, content: JsonObject): Reader | string | undefined {
  if (content.format === OWN_FORMAT) return operationCases;
  if (content.format === "stt-fuzz-1") return "kept inputs of the fuzzer: run by scripts/fuzz";
  if (content.testGroups !== undefined) return "Wycheproof: run by the tests of src/crypto";
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, "");
  if (/(^|_)chunk_header$/.test(name)) return "belongs to the STC suite";
  // Longest first: stt1_handshake_messages ends in neither handshake nor messages alone.
  const known = Object.keys(READERS).sort((a, b) => b.length - a.length)
    .find((one) => name === one || name.endsWith(`_${one}`) || name.startsWith(`${one}_`));
  return (known === undefined ? undefined : READERS[known]) ?? byContent(content);
}

function byContent(content: JsonObject): Reader | undefined {
  const first = (key: string): JsonObject => {
    const list = content[key];
    const entry = Array.isArray(list) ? list[0] : undefined;
    return isObject(entry) ? entry : {};
  };
  if (first("vectors").protocol_name !== undefined) return noiseCases;
  if (first("cases").shared_seed !== undefined || content.passphrases !== undefined) {
    return handshakeCases;
  }
  if (first("cases").HELLO !== undefined) return messageCases;
  if (first("valid").record !== undefined || content.streams !== undefined) return recordCases;
  if (first("valid").frame !== undefined) return frameCases;
  if (isObject(first("valid").value)) return valueCases;
  if (first("valid").value !== undefined || content.decode_overflow_accepted !== undefined) {
    return varintCases;
  }
  return undefined;
}

function broken(path: string, what: string): Case {
  return {
    id: `0-${path}`,
    section: "0",
    level: "MUST",
    title: `${path} ${what}`,
    run: () => Promise.reject(new Error(`${path} ${what}`)),
  };
}
