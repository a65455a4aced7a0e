#!/usr/bin/env -S deno run -A
/**
 * Entry of the command `stt`: `deno run -A src/cli/bin.ts`, or `stt` once the package is installed.
 *
 * @module
 */
import process from "node:process";
import { processIo } from "./io.ts";
import { main } from "./main.ts";

// Not exit(): what is queued for a pipe would be lost, and a timer left behind would stay unseen.
process.exitCode = await main(process.argv.slice(2), processIo());
