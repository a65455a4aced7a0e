/** Writes docs/stt.1.md from the tables of the command. @module */
import { writeFileSync } from "node:fs";
import { COMMANDS } from "../src/cli/main.ts";
import { manual } from "../src/cli/manual.ts";

writeFileSync(new URL("../docs/stt.1.md", import.meta.url), manual(COMMANDS));
