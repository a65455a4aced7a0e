/**
 * Ciphers, varints and frames by themselves, beside other libraries, in each runtime:
 *
 *     deno run -A bench/parts.ts [--runtime node|deno|both] [--write]
 *
 * `--write` keeps the tables in bench/PARTS.md. The libraries are those of bench/peers/package.json.
 *
 * @module
 */
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ROOT_PATH } from "../scripts/source_files.ts";
import { installPackages } from "./peers/install.ts";
import { NODE_BUILD } from "./peers/node_build.ts";
import { runtimesOf } from "./peers/options.ts";
import type { Timed } from "./peers/parts/timing.ts";
import { nodeProgram, prepare, type Runtime, runtimeVersion } from "./peers/runtime.ts";
import { figure } from "./peers/statistics.ts";

interface Found {
  readonly varints: readonly Timed[];
  readonly frames: readonly Timed[];
  readonly aead: readonly Timed[];
}

const SIDE = "bench/peers/parts/side";

function command(runtime: Runtime): [string, string[]] {
  if (runtime === "node") {
    return [nodeProgram(), [fileURLToPath(new URL(`${SIDE}.js`, NODE_BUILD))]];
  }
  return [Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--node-modules-dir=manual",
    `${ROOT_PATH}${SIDE}.ts`,
  ]];
}

function measure(runtime: Runtime): Found {
  const [program, args] = command(runtime);
  const { success, stdout } = new Deno.Command(program, { args, stderr: "inherit" }).outputSync();
  if (!success) throw new Error(`the measurement in ${runtime} failed`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return JSON.parse(lines[lines.length - 1] ?? "") as Found;
}

/** A row a work, a column a candidate; nanoseconds, and `times` of the first candidate for the others. */
function table(found: readonly Timed[], unit: string): string {
  const names = [...new Set(found.map(({ name }) => name))];
  const works = [...new Set(found.map(({ work }) => work))];
  const lines = [
    `| ${unit} | ${names.join(" | ")} |`,
    `| --- | ${names.map(() => "---:").join(" | ")} |`,
  ];
  for (const work of works) {
    const cells = names.map((name) => found.find((one) => one.work === work && one.name === name));
    const first = cells[0]?.ns ?? NaN;
    const texts = cells.map((cell, index) => {
      if (cell === undefined) return "–";
      return index === 0 ? figure(cell.ns) : `${figure(cell.ns)} (${figure(cell.ns / first)} ×)`;
    });
    lines.push(`| ${work} | ${texts.join(" | ")} |`);
  }
  return lines.join("\n");
}

function usage(text: string): never {
  console.error(`${text}\nusage: parts.ts [--runtime node|deno|both] [--write]`);
  Deno.exit(2);
}

function options() {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        runtime: { type: "string", default: "both" },
        write: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const values = options();
const runtimes = runtimesOf(values.runtime);
if (typeof runtimes === "string") usage(runtimes);
await installPackages();
prepare(runtimes);
const sections: string[] = [];
for (const runtime of runtimes) {
  const { aead, varints, frames } = measure(runtime);
  sections.push(
    `## ${runtimeVersion(runtime)}`,
    "### ChaCha20-Poly1305, 36 B of associated data, behind the provider's interface\n\n" +
      table(aead, "ns a call"),
    `### Varints\n\n${table(varints, "ns a number")}`,
    `### A frame written and parsed\n\n${table(frames, "ns a frame")}`,
  );
}
const text = sections.join("\n\n");
console.log(text);
if (values.write) {
  const args = Deno.args.map((arg) => ` ${arg}`).join("");
  const head = [
    "# Parts beside other libraries",
    "Made by the command below; the times of all candidates of a row were taken in turn. × is the time " +
    "in that of the first column: above 1 it is slower than ours, or than the two copies. Ratios within " +
    "a row mean something; the times themselves are this machine's.",
    [
      `- date: ${new Date().toISOString().slice(0, 10)}`,
      `- machine: ${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, ${Deno.build.os}`,
      `- command: \`deno run -A bench/parts.ts${args}\``,
    ].join("\n"),
  ].join("\n\n");
  Deno.writeTextFileSync(`${ROOT_PATH}bench/PARTS.md`, `${head}\n\n${text}\n`);
  new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", "bench/PARTS.md"], cwd: ROOT_PATH })
    .outputSync();
}
