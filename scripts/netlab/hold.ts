/**
 * Opens a lab with a program in each network, says their process ids, and stays until it is killed: for the test of what
 * is left behind.
 *
 * @module
 */
import { Lab } from "./lab.ts";

const lab = await Lab.open();
const [a, b] = [lab.run("a", ["sleep", "600"]), lab.run("b", ["sleep", "600"])];
console.log(JSON.stringify({ link: lab.linkPid, a: a.pid, b: b.pid }));
await a.exit(600_000);
