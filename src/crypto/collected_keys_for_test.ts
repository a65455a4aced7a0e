/**
 * A program that makes key pairs while the garbage collector runs within every export of a key. Prints `done`.
 *
 * @module
 */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { nodeProvider } from "./node_provider.ts";

/** Node sets the fields of a JWK one by one while it holds the key's lock: this makes each a collection. */
export function collectWithinExports(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  Object.defineProperty(Object.prototype, "kty", {
    configurable: true,
    set(value: unknown) {
      collect();
      Object.defineProperty(this, "kty", { value, enumerable: true, configurable: true });
    },
  });
}

export function main(): void {
  collectWithinExports();
  const provider = nodeProvider();
  const peer = provider.x25519(new Uint8Array(32).fill(7));
  for (let round = 0; round < 20; round++) {
    const key = provider.x25519();
    if (key.agree(peer.publicKey) === undefined) throw new Error("no agreement");
  }
  console.log("done");
}

if (process.argv[1]?.includes("collected_keys_for_test")) main();
