/** What the twin makes of a request, as an expectation. @module */
import type { Check } from "../case.ts";
import type { JsonObject, Request } from "../protocol.ts";
import { Refusal } from "../twin/bytes.ts";
import { twinCall } from "../twin/ops.ts";

/** The result of `run`, or the code with which the twin refuses. */
export function attempt<T>(run: () => T): { value: T } | { refused: string } {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.code };
    throw error;
  }
}

/** The program must do with a request what the twin does. */
export async function asTwin(check: Check, request: Request): Promise<JsonObject | undefined> {
  const expected = twinCall(request);
  if ("error" in expected) {
    await check.refuses(request, expected.error);
    return undefined;
  }
  return await check.gives(request, expected.ok as JsonObject);
}
