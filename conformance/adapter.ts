/**
 * This project as a program under test: reads requests, one JSON object per line, and answers each with one line.
 * `--provider noble` swaps the cryptography.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { nodeProvider } from "../src/crypto/mod.ts";
import { answerer } from "./adapter/operations.ts";

const noble = process.argv.includes("noble");
const provider = noble
  ? (await import("../src/crypto/noble_provider.ts")).nobleProvider()
  : nodeProvider();
const answer = answerer(provider);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() === "") continue;
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id: request.id, ...await answer(request) })}\n`);
}
