/**
 * Confirms vectors/*.json by every path there is: JSON Schema, permanent and unique ids, the generator (deterministic),
 * the twin, and `src/` with both crypto providers.
 *
 * @module
 */
import { Ajv } from "ajv";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RULE_FILES } from "../conformance/cases/mod.ts";
import { operationCases } from "../conformance/data/operations.ts";
import { InProcess } from "../conformance/in_process.ts";
import { runCases } from "../conformance/runner.ts";
import { nobleProvider } from "../src/crypto/noble_provider.ts";
import { nodeProvider } from "../src/crypto/node_provider.ts";
import { vectorFile, vectorPath } from "./gen_vectors.ts";

function schemaErrors(name: string, content: unknown): string[] {
  const path = fileURLToPath(new URL("../vectors/schema/operations.json", import.meta.url));
  const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(path, "utf8")));
  if (validate(content)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) =>
    `${name}${instancePath}: ${message}`
  );
}

interface VectorTest {
  readonly id: string;
  readonly result: "valid" | "invalid";
}

async function main(): Promise<void> {
  const errors: string[] = [];
  const ids = new Set<string>();
  let valid = 0;
  let invalid = 0;
  const providers = [new InProcess(nodeProvider()), new InProcess(nobleProvider())];
  for (const [name, rules] of Object.entries(RULE_FILES)) {
    const text = readFileSync(vectorPath(name), "utf8");
    const content = JSON.parse(text);
    errors.push(...schemaErrors(name, content));
    if (text !== vectorFile(name, rules())) errors.push(`${name}: not what the generator makes`);
    for (const { id, result } of content.tests as VectorTest[]) {
      if (ids.has(id)) errors.push(`${name}: id ${id} is there twice`);
      ids.add(id);
      if (result === "valid") valid++;
      else invalid++;
    }
    for (const provider of providers) {
      // Each case compares the file with the twin, and then with src/.
      const results = await runCases(operationCases({ path: `${name}.json`, content }), provider);
      for (const one of results) {
        if (one.verdict !== "pass") {
          errors.push(`${provider.name}: ${one.id}: ${one.verdict}, ${one.detail}`);
        }
      }
    }
  }
  if (invalid <= valid) {
    errors.push(`${invalid} invalid tests are not more than ${valid} valid ones`);
  }
  for (const error of errors) console.error(error);
  console.log(`${valid} valid and ${invalid} invalid vectors, ${errors.length} errors`);
  process.exitCode = errors.length > 0 ? 1 : 0;
}

await main();
