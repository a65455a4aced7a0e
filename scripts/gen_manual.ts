/** Writes docs/stt.1.md and docs/config.schema.json from the tables of the command. @module */
import { writeFileSync } from "node:fs";
import { configSchema } from "../src/cli/config/schema.ts";
import { COMMANDS } from "../src/cli/main.ts";
import { manual } from "../src/cli/manual.ts";

const DOCS = new URL("../docs/", import.meta.url);
const schema = JSON.stringify(configSchema(COMMANDS), undefined, 2);
writeFileSync(new URL("stt.1.md", DOCS), manual(COMMANDS));
writeFileSync(new URL("config.schema.json", DOCS), `${schema}\n`);
