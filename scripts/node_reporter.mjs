// A reporter for `node --test`: one JSON object a line for each finished test, for scripts/test_report.ts. It is
// JavaScript because Node 20 does not read TypeScript.

/** @param {AsyncIterable<{ type: string, data: Record<string, unknown> }>} source */
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    yield JSON.stringify({
      outcome: type === "test:pass" ? "pass" : "fail",
      file: data.file ?? "",
      name: data.name,
      nesting: data.nesting,
      skip: data.skip === undefined ? false : data.skip,
      todo: data.todo === undefined ? false : data.todo,
      failureType: data.details?.error?.failureType ?? "",
    }) + "\n";
  }
}
