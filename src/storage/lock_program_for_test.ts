/**
 * Opens the folder that is its argument, says so, and stays until its standard input ends.
 *
 * @module
 */
import process from "node:process";
import { FileStore } from "./file_store.ts";

const store = await FileStore.open(process.argv[2] as string);
console.log("open");
for await (const _ of process.stdin);
await store.close();
