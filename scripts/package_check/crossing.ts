/**
 * Files between two processes, which may run on different runtimes: what one sends the other has, to the byte.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { generateSeed, toHex } from "../../mod.ts";
import { Program, type Start } from "./program.ts";

/** What a listener can be dialled by. Certificates, and so `wss:`, are the runtimes' own on both sides. */
export const SCHEMES: readonly string[] = ["udp", "tcp", "ws"];

const FILE_BYTES = 1_500_000;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sample(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(FILE_BYTES).map((_, index) => (index * 131 + (index >> 9)) & 0xff);
}

/**
 * `stt listen` in one process, `stt send` in the other.
 *
 * @param folder An empty folder.
 * @throws {Error} when the file did not arrive, or arrived changed, or a process did not end in order.
 */
export async function crossFile(
  listening: Start,
  sending: Start,
  scheme: string,
  folder: string,
): Promise<void> {
  const content = sample();
  const path = join(folder, "sample.bin");
  const inbox = join(folder, "inbox");
  await Deno.writeFile(path, content);
  await Deno.mkdir(inbox);
  const seed = toHex(generateSeed());
  const programs: Program[] = [];
  const start = (how: Start, args: readonly string[]): Program => {
    const program = new Program(how, args, seed);
    programs.push(program);
    return program;
  };
  try {
    const listen = ["listen", `${scheme}://127.0.0.1:0`, "--out", inbox, "--once"];
    const listener = start(listening, listen);
    const { address, nodeId } = await listener.event("listening");
    const send = ["send", path, String(address), "--expect", String(nodeId)];
    const sender = start(sending, send);
    const sent = await sender.event("sent");
    const received = await listener.event("received");
    await Promise.all(programs.map((program) => program.end()));
    const wanted = sha256(content);
    const got = sha256(await Deno.readFile(join(inbox, "sample.bin")));
    if (got !== wanted || sent["sha256"] !== wanted || received["sha256"] !== wanted) {
      throw new Error(`the file changed on its way: ${got} instead of ${wanted}`);
    }
  } finally {
    for (const program of programs) program.kill();
  }
}
