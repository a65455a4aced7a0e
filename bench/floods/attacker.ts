/**
 * The process that attacks: takes its order as one argument, says that it is ready, begins at the end of its input, and
 * says what it did.
 *
 * @module
 */
import { fromHex } from "../../src/codec/hex.ts";
import { ATTACKS } from "./attacks.ts";

/** An order, as JSON. */
export interface Order {
  readonly attack: string;
  readonly address: string;
  readonly port: number;
  /** Hex. */
  readonly seed: string;
  readonly count: number;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const order = JSON.parse(Deno.args[0] ?? "{}") as Order;
  const attack = ATTACKS[order.attack];
  if (attack === undefined) throw new Error(`unknown attack ${order.attack}`);
  let begun = 0;
  const outcome = await attack({
    ...order,
    seed: fromHex(order.seed),
    go: async () => {
      console.log("ready");
      for await (const _ of Deno.stdin.readable);
      begun = performance.now();
    },
  });
  console.log(JSON.stringify({ ...outcome, seconds: (performance.now() - begun) / 1000 }));
  // Some attacks leave sockets open on purpose.
  Deno.exit(0);
}
