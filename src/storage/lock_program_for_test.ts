/**
 * Opens the folder that is its argument, says so, and stays until its standard input ends.
 *
 * @module
 */
import process from "node:process";
import { FileStore } from "./file_store.ts";

const [program, folder] = process.argv.slice(1);
if (program?.includes("lock_program_for_test") && folder !== undefined) {
  const store = await FileStore.open(folder);
  console.log("open");
  for await (const _ of process.stdin);
  await store.close();
}
