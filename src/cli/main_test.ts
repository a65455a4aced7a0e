import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { toHex } from "../codec/hex.ts";
import { seedFromPassphrase } from "../endpoint/seeds.ts";
import { SttError } from "../errors.ts";
import { parseArguments } from "./args.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { hintOf } from "./hints.ts";
import { COMMANDS, runCommand } from "./io_for_test.ts";
import { COMMANDS as COMMAND_TABLES } from "./main.ts";
import { PACKAGE_VERSION } from "./version.ts";

const SEED = "5".repeat(64);
const NOWHERE = "tcp://127.0.0.1:1";

test("help fits 80 columns, names every command and every exit code", async () => {
  const { exit, stdout } = await runCommand(["help"]);
  assert.equal(exit, 0);
  for (const [code, text] of EXIT_CODES) {
    assert(stdout.includes(`\n  ${String(code).padEnd(5)}${text}\n`), text);
  }
  for (const name of COMMANDS) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    const own = await runCommand(["help", name]);
    assert.equal(own.stdout, (await runCommand([name, "--help"])).stdout);
    assert.match(own.stdout, new RegExp(`^usage: stt ${name}`));
    for (const line of (stdout + own.stdout).split("\n")) {
      // Examples are lines to copy, and are not wrapped.
      const most = line.startsWith("  stt ") ? 100 : 80;
      assert(line.length <= most, `${line.length} columns: ${line}`);
    }
  }
});

test("help of what has no help of its own is the general one", async () => {
  const { stdout } = await runCommand(["help"]);
  for (
    const argv of [["help", "--json"], ["help", "help"], ["help", "version"], ["--help"], ["-h"]]
  ) {
    assert.deepEqual(await runCommand(argv), { exit: 0, stdout, stderr: "" }, argv.join(" "));
  }
});

test("every command has examples, and every example is a line that the parser takes", () => {
  for (const { name, examples = [] } of COMMAND_TABLES) {
    assert(examples.some(({ line }) => `${line} `.startsWith(`${name} `)), name);
    for (const { line } of examples) {
      const [word, ...rest] = (line.split(/ [|>] /)[0] ?? "").split(" ");
      const options = COMMAND_TABLES.find((command) => command.name === word)?.options;
      assert(options !== undefined, line);
      assert.doesNotThrow(() => parseArguments(name, options, rest), line);
    }
  }
});

test("help uses the width of a terminal, within limits", async () => {
  for (const [columns, most] of [[50, 50], [120, 110], [20, 40]] as const) {
    const { stdout } = await runCommand(["help", "keygen"], { columns, typed: "" });
    const widths = stdout.split("\n").filter((line) => !/^( {2}stt |usage)/.test(line))
      .map((line) => line.length);
    assert(Math.max(...widths) <= most, `${Math.max(...widths)} of ${columns}`);
  }
});

test("what is misspelt gets a suggestion", async () => {
  const cases: [string[], RegExp][] = [
    [["sned"], /unknown command "sned": did you mean stt send\?/],
    [["recieve"], /did you mean stt receive\?/],
    [["help", "lsten"], /did you mean stt listen\?/],
    [["zzzz"], /unknown command "zzzz"\ntry/],
    [["ping", "--timout", "3"], /unknown option '--timout': did you mean --timeout\?/],
    [["send", "--no_resume"], /did you mean --no-resume\?/],
    [["send", "--quite"], /did you mean --quiet\?/],
    [["ping", "--frobnicate"], /unknown option '--frobnicate'\ntry/],
  ];
  for (const [argv, message] of cases) {
    const { exit, stderr } = await runCommand(argv);
    assert.equal(exit, 2);
    assert.match(stderr, message);
  }
});

test("an error says what to do next, in text and in JSON", async () => {
  const env = { STT_SEED: SEED };
  const refused = await runCommand(["ping", NOWHERE], { env });
  assert.match(refused.stderr, /connection refused.*\nis `stt listen` running there/s);
  const json = await runCommand(["ping", NOWHERE, "--json"], { env });
  assert.match(JSON.parse(json.stdout).hint, /^is `stt listen` running there/);
  const address = await runCommand(["ping", "192.0.2.1:9000"], { env });
  assert.match(address.stderr, /addresses look like/);
  const denied = new SttError("FILE_IO", 'cannot create "/x": permission denied (EACCES)');
  assert.match(hintOf(denied) ?? "", /owner and mode/);
  const there = new SttError("FILE_EXISTS", "cannot send", { remote: true });
  assert.match(hintOf(there) ?? "", /--overwrite/);
  assert.equal(hintOf(new SttError("FILE_EXISTS", "cannot create")), undefined);
  const busy = new SttError("TRANSPORT", "cannot listen on x: in use (EADDRINUSE)");
  assert.match(hintOf(busy) ?? "", /another port/);
  const foreign = new SttError("TRANSPORT", "cannot listen on x: listen EINVAL: invalid");
  assert.match(hintOf(foreign) ?? "", /address of this machine/);
  assert.equal(hintOf(new Error("EADDRINUSE")), undefined);
});

test("send looks at its files before it asks for a seed or dials", async () => {
  await withFolder(async (folder) => {
    const none = join(folder, "none");
    const missing = `stt: cannot read ${JSON.stringify(none)}: no such file or folder (ENOENT)\n`;
    const alone = await runCommand(["send", none, NOWHERE]);
    assert.deepEqual(alone, { exit: 5, stdout: "", stderr: missing });
    const json = await runCommand(["send", none, NOWHERE, "--json"]);
    const { event, code, exit } = JSON.parse(json.stdout);
    assert.deepEqual([event, code, exit, json.exit], ["error", "FILE_IO", 5, 5]);
    // Of several the others go, as far as a dial brings them.
    const there = join(folder, "there");
    await writeFile(there, "x");
    const both = await runCommand(["send", none, there, NOWHERE], { env: { STT_SEED: SEED } });
    assert.equal(both.exit, 3);
    assert(both.stderr.startsWith(missing), both.stderr);
    assert.match(both.stderr, /connection refused/);
    // A listener goes on: the file may come later. This one cannot listen there.
    const offering = await runCommand(["listen", "tcp://192.0.2.1:1", "--offer", none], {
      env: { STT_SEED: SEED },
    });
    assert(offering.stderr.startsWith(missing), offering.stderr);
    assert.equal(offering.exit, 3);
  });
});

test("version is that of the package", async () => {
  const { stdout } = await runCommand(["version"]);
  assert.equal(stdout, `stt ${PACKAGE_VERSION}, protocol STT/1\n`);
  const onDeno = new URL("../../deno.json", import.meta.url);
  const manifest = existsSync(onDeno) ? onDeno : new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  assert.equal(PACKAGE_VERSION, version);
  const json = JSON.parse((await runCommand(["version", "--json"])).stdout);
  assert.deepEqual(json, { event: "version", version, protocol: 1 });
});

test("wrong use is exit code 2, with one line that says what, and where help is", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /^stt: no command\ntry: stt help\n$/],
    [["frobnicate"], /unknown command "frobnicate"/],
    [["help", "frobnicate"], /unknown command "frobnicate"\ntry: stt help\n$/],
    [["send"], /send needs a file or folder and an address\ntry: stt help send/],
    [["send", "x"], /send needs a file or folder and an address/],
    [["send", "-", "-", NOWHERE], /standard input can be sent once/],
    [["send", "a", "b", NOWHERE, "--name", "x"], /--name is for one file or folder only/],
    [["listen"], /listen needs one address/],
    [["listen", NOWHERE, "--echo", "--offer", "x"], /exclude each other/],
    [["listen", NOWHERE, "--colour"], /unknown option '--colour'\ntry: stt help listen/],
    [["ping", NOWHERE, "--count", "0"], /--count takes a number from 1.*\ntry: stt help ping\n$/],
    [["ping", NOWHERE, "--count", "1.5"], /--count takes a whole number/],
    [["ping", NOWHERE, "--count", "many"], /--count takes a number from 1 to 1000000, not "many"/],
    [["ping", NOWHERE, "--timeout"], /option '--timeout <value>' argument missing/],
    [["ping", NOWHERE, "--expect", "abc"], /64 hexadecimal digits/],
    [["ping", "http://x"], /unknown scheme "http"/],
    [["ping", NOWHERE, "--timeout", "0"], /--timeout takes a number from 0.1/],
    [["decode"], /decode needs hexadecimal text or a file/],
    [["decode", "00", "--as", "soup"], /--as takes one of auto, frames, value, records/],
    [["keygen", "x"], /keygen takes no arguments/],
    [
      ["ping", NOWHERE, "--congestion", "x"],
      /--congestion takes one of cubic, bbr, newreno, not "x"/,
    ],
  ];
  for (const [argv, message] of wrong) {
    const { exit, stdout, stderr } = await runCommand(argv, { env: { STT_SEED: SEED } });
    assert.equal(exit, 2, argv.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message);
  }
});

test("a file that is not there is found before the dial", async () => {
  await withFolder(async (folder) => {
    const none = join(folder, "none");
    const { exit, stderr } = await runCommand(["send", none, NOWHERE], { env: { STT_SEED: SEED } });
    assert.equal(exit, 5);
    assert.match(stderr, /^stt: cannot read ".*none": no such file or folder \(ENOENT\)\n$/);
  });
});

test("seeds are never arguments, and nothing repeats them", async () => {
  const secret = "c0ffee".repeat(11);
  for (const option of ["--seed", "--node-seed", "--secret", "--passphrase"]) {
    for (const argv of [[option, secret], [`${option}=${secret}`]]) {
      const { exit, stdout, stderr } = await runCommand(["ping", NOWHERE, ...argv]);
      assert.equal(exit, 2);
      assert.match(stderr, /use --seed-file FILE or STT_SEED/);
      assert(!(stdout + stderr).includes("c0ffee"));
    }
  }
  const bad = await runCommand(["ping", NOWHERE], { env: { STT_SEED: `${secret}!` } });
  assert.equal(bad.exit, 2);
  assert.match(bad.stderr, /^stt: cannot use STT_SEED: /);
  assert(!bad.stderr.includes("c0ffee"));
  const short = await runCommand(["ping", NOWHERE], { env: { STT_SEED: "c0ffee" } });
  assert.match(short.stderr, /3 bytes is below the minimum of 32/);
});

test("a seed comes from a file, the environment, or somebody who types it", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "seed");
    await writeFile(path, `${SEED}\n`, { mode: 0o600 });
    // The dial fails after the seed was taken: exit code 3, not 2.
    assert.equal((await runCommand(["ping", NOWHERE, "--seed-file", path])).exit, 3);
    assert.equal((await runCommand(["ping", NOWHERE], { env: { STT_SEED: SEED } })).exit, 3);
    const typed = await runCommand(["ping", NOWHERE], { typed: SEED });
    assert.equal(typed.exit, 3);
    assert.match(typed.stderr, /^Shared seed \(hex or base64url, not shown\): \n/);
    assert(!typed.stderr.includes(SEED));
    const interrupted = await runCommand(["ping", NOWHERE], { typed: null });
    assert.equal(interrupted.exit, 130);
    assert(interrupted.stderr.endsWith("\r\x1b[Kstt: interrupted\n"));
    assert.equal((await runCommand(["ping", NOWHERE])).exit, 2);
    assert.equal((await runCommand(["send", "-", NOWHERE], { typed: SEED })).exit, 2);
    const missing = await runCommand(["ping", NOWHERE, "--seed-file", join(folder, "none")]);
    assert.equal(missing.exit, 2);
    assert.match(missing.stderr, /: no such file or folder \(ENOENT\)\n$/);
    if (process.platform !== "win32") {
      await chmod(path, 0o644);
      const loose = await runCommand(["ping", NOWHERE, "--seed-file", path]);
      assert.match(loose.stderr, /^stt: warning: seed file .* can be read by others: chmod 600 it/);
    }
  });
});

test("keygen prints a seed, or writes it where only the owner reads it", async () => {
  const { exit, stdout } = await runCommand(["keygen"]);
  assert.equal(exit, 0);
  assert.match(stdout, /^[0-9a-f]{64}\n$/);
  assert.notEqual((await runCommand(["keygen"])).stdout, stdout);
  await withFolder(async (folder) => {
    const path = join(folder, "seed");
    const written = await runCommand(["keygen", "--out", path]);
    assert.equal(written.exit, 0);
    assert.equal(written.stdout, "");
    assert.match(await readFile(path, "utf8"), /^[0-9a-f]{64}\n$/);
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = await runCommand(["keygen", "--out", path]);
    assert.equal(again.exit, 5);
  });
});

test("keygen derives the seed of a passphrase: typed twice, or from standard input", async () => {
  const words = "correct horse battery staple";
  const network = ["--network", "example-network"];
  const expected = toHex(await seedFromPassphrase(words, "example-network"));
  const typed = await runCommand(["keygen", "--ask-passphrase", ...network], { typed: words });
  assert.equal(typed.stdout, `${expected}\n`);
  assert.match(typed.stderr, /^Passphrase \(not shown\): \nThe same again: \nderived by scrypt/);
  assert(!typed.stderr.includes(words));
  const piped = await runCommand(["keygen", "--passphrase-file", "-", ...network, "--json"], {
    stdin: new TextEncoder().encode(`${words}\nignored\n`),
  });
  const [derived, seed] = piped.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([derived.event, derived.network, seed.seed], [
    "derived",
    "example-network",
    expected,
  ]);
  await withFolder(async (folder) => {
    const path = join(folder, "words");
    await writeFile(path, `${words}\r\n`);
    const { stdout } = await runCommand(["keygen", "--passphrase-file", path, ...network, "-q"]);
    assert.equal(stdout, `${expected}\n`);
    const none = ["keygen", "--passphrase-file", join(folder, "none"), ...network];
    assert.equal((await runCommand(none)).exit, 5);
  });
  const wrong: [string[], RegExp][] = [
    [["--ask-passphrase"], /needs --network NAME/],
    [network, /--network needs --ask-passphrase/],
    [["--ask-passphrase", "--passphrase-file", "x", ...network], /exclude each other/],
    [["--passphrase-file", "-", "--network", "example"], /network name/],
  ];
  for (const [argv, message] of wrong) {
    const { exit, stderr } = await runCommand(["keygen", ...argv], {
      stdin: new TextEncoder().encode(words),
    });
    assert.equal(exit, 2);
    assert.match(stderr, message);
  }
});

test("keygen --qr shows a code, in colours of its own on a terminal", async () => {
  const plain = await runCommand(["keygen", "--qr"]);
  const [seed = "", ...lines] = plain.stdout.trimEnd().split("\n");
  assert.match(seed, /^[0-9a-f]{64}$/);
  assert(lines.length > 14 && lines.every((line) => /^[ ▀▄█]+$/.test(line)), plain.stdout);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert((lines[0]?.length ?? 0) <= 80 && lines.length < 24, "it does not fit a small terminal");
  // What is light is drawn, the quiet zone first.
  assert.match(lines[0] ?? "", /^█+$/);
  const coloured = await runCommand(["keygen", "--qr"], { typed: "" });
  const first = coloured.stdout.split("\n")[1] ?? "";
  assert(first.startsWith("\x1b[38;5;16;48;5;231m ") && first.endsWith("\x1b[0m"), first);
  const json = await runCommand(["keygen", "--qr", "--json"]);
  assert.equal(json.stdout.trim().split("\n").length, 1);
});

test("--json makes every line an object, errors too", async () => {
  const { stdout, stderr, exit } = await runCommand(["ping", NOWHERE, "--json"], {
    env: { STT_SEED: SEED },
  });
  assert.equal(exit, 3);
  assert.equal(stderr, "");
  const { event, code, message } = JSON.parse(stdout) as Record<string, string>;
  assert.deepEqual([event, code], ["error", "TRANSPORT"]);
  assert.match(message ?? "", /connection refused/);
});
