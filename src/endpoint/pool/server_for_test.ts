/**
 * A program that answers requests until it is killed. Prints its address. Arguments: the seed as hex, and a name.
 *
 * @module
 */
import process from "node:process";
import { listen } from "../listener.ts";
import { Endpoints } from "../requests/endpoints.ts";

async function main(seed: string, name: string): Promise<void> {
  const endpoints = new Endpoints();
  const reply = new TextEncoder().encode(name);
  endpoints.register("name", () => reply);
  endpoints.register("never", () => new Promise<Uint8Array>(() => undefined));
  endpoints.register("exit", () => process.exit(1));
  const listener = await listen("tcp://127.0.0.1:0", { seed, handshakeRate: Infinity });
  listener.on("peer", (peer) => void endpoints.serve(peer));
  process.stdout.write(`${listener.address}\n`);
}

const [program, seed, name] = process.argv.slice(1);
if (program?.includes("server_for_test") && seed !== undefined && name !== undefined) {
  await main(seed, name);
}
