/**
 * Programs that must not pass, for the tests: the argument says what is wrong with them. `lenient` accepts whatever is
 * refused, `wrong` gets every result wrong, `crash` and `hang` stop answering at one operation, `garbage` writes lines
 * that are no JSON and `endless` one without an end there, `chatty` writes another line behind that answer and `verbose`
 * what it has not beside what it has; `mute` knows no operation.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { nodeProvider } from "../src/crypto/mod.ts";
import { answerer } from "./adapter/operations.ts";
import type { Answer, Json } from "./protocol.ts";

const fault = process.argv[2];
const answer = answerer(nodeProvider());

function wrong(value: Json): Json {
  if (typeof value === "string") {
    return value === "" ? "00" : `${value.slice(0, -1)}${value.endsWith("0") ? 1 : 0}`;
  }
  if (typeof value === "number") return value + 1;
  return value;
}

function spoil(made: Answer): Answer {
  if (fault === "mute") return { unsupported: true };
  if (fault === "lenient" && "error" in made) return { ok: { value: "0", size: 1 } };
  if (fault === "wrong" && "ok" in made) {
    return {
      ok: Object.fromEntries(Object.entries(made.ok).map(([key, value]) => [key, wrong(value)])),
    };
  }
  return made;
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const request = JSON.parse(line);
  if (request.op === "varint.size") {
    if (fault === "crash") process.exit(3);
    if (fault === "hang") continue;
    if (fault === "garbage") {
      process.stdout.write("not JSON\n");
      continue;
    }
    if (fault === "endless") {
      for (let count = 0; count < 32; count++) process.stdout.write("\x1b[2J".repeat(250_000));
      continue;
    }
  }
  const made = { id: request.id, ...spoil(await answer(request)) };
  const beside = fault === "verbose" ? { unsupported: false, message: null } : {};
  const more = fault === "chatty" && request.op === "varint.size" ? "debug\n" : "";
  process.stdout.write(`${JSON.stringify({ ...beside, ...made })}\n${more}`);
}
