/**
 * Measures the parts in this runtime; a line of JSON on the standard output.
 *
 * @module
 */
import { aead } from "./aead.ts";
import { frames, sunk, varints } from "./codec.ts";

const found = { varints: await varints(), frames: frames(), aead: await aead() };
if (sunk() === 0) throw new Error("nothing was measured");
console.log(JSON.stringify(found));
