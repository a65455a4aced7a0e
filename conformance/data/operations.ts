/** Data of this project's own schema: requests with their results (vectors/schema/operations.json). @module */
import type { Case, Check, Level } from "../case.ts";
import type { Json } from "../protocol.ts";
import { twinCall } from "../twin/ops.ts";
import { compare, runRequest } from "../request_case.ts";
import { type DataFile, type Entry, FileCases } from "./section.ts";

export function operationCases(file: DataFile): Case[] {
  const cases = new FileCases(file, String(file.content.section));
  cases.ignore("flags", "format", "section");
  cases.list("tests", (entry) => [{
    section: entry.section ?? String(file.content.section),
    level: (entry.level ?? "MUST") as Level,
    title: entry.comment,
    run: (check) => run(check, entry),
  }]);
  return cases.finish();
}

async function run(check: Check, entry: Entry): Promise<void> {
  const twin = twinCall(entry.request);
  if ("ok" in twin) check.data(entry.ok ?? { error: entry.error }, twin.ok as Json, "result");
  else check.data({ error: entry.error ?? null }, { error: twin.error }, "result");
  compare(check, entry.request, twin, await runRequest(check, entry.request));
}
