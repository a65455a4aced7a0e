/**
 * The types as a strict project of TypeScript sees them that installed the package.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../source_files.ts";
import { run } from "./run.ts";

const SETTINGS = {
  module: "NodeNext",
  moduleResolution: "NodeNext",
  target: "ES2022",
  lib: ["ES2023", "DOM"],
  noEmit: true,
  skipLibCheck: false,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
};

/** A dialogue whose types all matter: a wrong or missing declaration makes one of its lines an error. */
const USE = `
import { connect, generateSeed, listen, type Listener, type Peer, SttError } from "@seigr/stt";
const seed: Uint8Array = generateSeed();
const listener: Listener = await listen("tcp://127.0.0.1:0", { seed });
const peer: Peer = await connect(listener.address, { seed, expect: listener.nodeId });
await peer.send(new Uint8Array(1));
const length: number | undefined = (await peer.nextMessage())?.data.length;
// @ts-expect-error a seed is not a number
await connect(listener.address, { seed: 7 });
export function codeOf(error: unknown): string {
  return error instanceof SttError ? error.code : String(length);
}
`;

/** Type-checks a project in `app` that imports each of `specifiers`: with Node's types, and with none but the DOM's. */
export async function checkConsumer(app: string, specifiers: readonly string[]): Promise<void> {
  const imports = specifiers.map((specifier, index) =>
    `import * as part${index} from ${JSON.stringify(specifier)};\n` +
    // Types that were not found would be `any`, of which this is false.
    `export const known${index}: 0 extends 1 & typeof part${index} ? false : true = true;\n`
  );
  await Deno.writeTextFile(join(app, "consumer.mts"), imports.join("") + USE);
  const typeRoots = [fileURLToPath(new URL("node_modules/@types", ROOT))];
  const compiler = fileURLToPath(new URL("node_modules/typescript/lib/tsc.js", ROOT));
  for (const types of [["node"], []]) {
    const settings = {
      compilerOptions: { ...SETTINGS, typeRoots, types },
      files: ["consumer.mts"],
    };
    await Deno.writeTextFile(join(app, "tsconfig.json"), JSON.stringify(settings, null, 2));
    await run("node", [compiler, "-p", "tsconfig.json"], { cwd: app });
  }
}
