import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { certificateForTest } from "../transport/certificate_for_test.ts";
import { type Child, withChildren } from "./child_for_test.ts";

const SECTION = readFileSync(new URL("../../docs/permissions.md", import.meta.url), "utf8");
/** Children at once. */
const AT_ONCE = 4;

/** Flags of a row of the first table, by the command that it names. */
function flagsOf(command: string): string[] {
  for (const [, name, flags] of SECTION.matchAll(/^\| `([^`]+)` +\| (.+?) *\|$/gm)) {
    if (name !== command) continue;
    return flags === "none" ? [] : (flags ?? "").replaceAll("`", "").split(" ");
  }
  throw new Error(`docs/permissions.md has no flags of \`${command}\``);
}

/** NET of an address and what it needs besides, of the second table. */
function addressFlags(address: string): { readonly net: string; readonly besides: string[] } {
  for (const [, name, net, besides] of SECTION.matchAll(/^\| (`.*?) +\| (`.*?) +\| (.*?) +\|$/gm)) {
    if (name?.replaceAll("`", "") !== address) continue;
    const first = /^`([^`]+)`/.exec(net ?? "")?.[1] ?? "";
    return {
      net: first,
      besides: [...(besides ?? "").matchAll(/--allow-[^\s`;]+/g)].map(([flag]) => flag),
    };
  }
  throw new Error(`docs/permissions.md has no flags of ${address}`);
}

type Names = Readonly<Record<string, string>>;

function fill(text: string, names: Names): string {
  return text.replace(/\b[A-Z]+\b(?![_=])/g, (name) => names[name] ?? name);
}

/** The flags with NET and names filled in; those for one permission joined, as Deno wants them. */
function filled(flags: readonly string[], net: string, names: Names): string[] {
  const lists = new Map<string, string[]>();
  for (const flag of flags) {
    const [name = "", list] = flag.replace("NET", net).split("=");
    const all = lists.get(name) ?? [];
    lists.set(name, [...all, ...(list?.split(",").map((item) => fill(item, names)) ?? [])]);
  }
  return [...lists].map(([name, list]) => list.length === 0 ? name : `${name}=${list.join(",")}`);
}

/** The same flags with each one, and each part of each list, left out in turn. */
function without(flags: readonly string[]): { readonly flags: string[]; readonly left: string }[] {
  return flags.flatMap((flag, index) => {
    const [name = "", list = ""] = flag.split("=");
    const parts = list.split(",");
    return parts.map((part) => {
      const rest = parts.filter((other) => other !== part);
      const others = flags.filter((_, at) => at !== index);
      return {
        flags: rest.length === 0 ? others : [...others, `${name}=${rest.join(",")}`],
        left: name,
      };
    });
  });
}

async function inTurns(acts: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...acts];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let act = left.shift(); act !== undefined; act = left.shift()) await act();
  }));
}

async function withNames(act: (names: Names) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stt-permissions-"));
  try {
    const names = {
      SEED: join(folder, "seed"),
      FILE: join(folder, "file"),
      TREE: join(folder, "tree"),
      HEX: "5354",
    };
    await mkdir(join(names.TREE, "sub"), { recursive: true });
    await writeFile(join(names.TREE, "sub", "a"), "content");
    await writeFile(names.SEED, toHex(generateSeed()), { mode: 0o600 });
    await writeFile(names.FILE, "content");
    await act({ ...names, FOLDER: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Ends with a code above 0 and one line that names the flag, not with the trace of a crash. */
async function failsClearly(child: Child, left: string): Promise<void> {
  const exit = await child.exit();
  assert(typeof exit === "number" && exit > 0, `exit ${exit} without ${left}`);
  assert(child.stderr.includes(`run again with the ${left} flag`), `${left}: ${child.stderr}`);
  assert.doesNotMatch(child.stderr, /internal error| at .*\.ts:/);
}

test("keygen and decode run with the flags that are documented, and fail clearly without one", async () => {
  await withNames(async (names) => {
    await withChildren(async (start) => {
      const cases: [string, number][] = [
        ["keygen", 0],
        ["completions bash", 0],
        ["decode HEX", 6],
        ["decode FILE", 6],
      ];
      await inTurns(cases.map(([command, exit]) => async () => {
        const permissions = filled(flagsOf(command), "", names);
        const args = command.split(" ").map((word) => fill(word, names));
        assert.equal(await start(args, { permissions }).exit(), exit, command);
        for (const { flags, left } of without(permissions)) {
          await failsClearly(start(args, { permissions: flags }), left);
        }
      }));
      const out = { ...names, FILE: join(names["FOLDER"] ?? "", "new.seed") };
      const permissions = filled(flagsOf("keygen --out FILE"), "", out);
      const args = ["keygen", "--out", out.FILE];
      for (const { flags, left } of without(permissions)) {
        await failsClearly(start(args, { permissions: flags }), left);
      }
      assert.equal(await start(args, { permissions }).exit(), 0);
    });
  });
});

test("doctor runs with the flags that are documented, and says where one is missing", async () => {
  await withNames(async (names) => {
    await withChildren(async (start) => {
      const command = "doctor --seed-file SEED";
      const permissions = filled(flagsOf(command), "", names);
      const args = command.split(" ").map((word) => fill(word, names));
      const whole = start(args, { permissions });
      assert.equal(await whole.exit(), 0, whole.stdout);
      for (const { flags, left } of without(permissions)) {
        const child = start(args, { permissions: flags });
        // It goes on with what else there is to look at.
        assert.equal(await child.exit(), 1, `without ${left}: ${child.stdout}`);
        assert.match(child.stdout, new RegExp(`\\nfail [^\\n]+${left}`));
        assert.match(child.stdout, / ok, \d+ warnings?, \d+ failures?\n$/);
      }
    });
  });
});

test("seal and open run with the flags that are documented, and fail clearly without one", async () => {
  await withNames(async (names) => {
    await withChildren(async (start) => {
      const run = async (command: string, all: Names): Promise<void> => {
        const permissions = filled(flagsOf(command), "", all);
        const args = command.split(" ").map((word) => fill(word, all));
        for (const { flags, left } of without(permissions)) {
          await failsClearly(start(args, { permissions: flags }), left);
        }
        const child = start(args, { permissions });
        assert.equal(await child.exit(), 0, child.stderr);
      };
      const all = { ...names, DIR: await mkdtemp(join(names["FOLDER"] ?? "", "sealed-")) };
      await run("seal FILE --out DIR/sealed --seed-file SEED", all);
      await run("open DIR/sealed --out DIR/opened --seed-file SEED", all);
      assert.equal(readFileSync(join(all.DIR, "opened"), "utf8"), "content");
    });
  });
});

/** A listener and a dialler, each as its row has it. */
interface Pair {
  readonly listen: string;
  readonly dial: string;
}

const PAIRS: readonly Pair[] = [
  { listen: "listen ADDR --echo --seed-file SEED", dial: "ping ADDR --seed-file SEED" },
  { listen: "listen ADDR --out DIR --seed-file SEED", dial: "send FILE ADDR --seed-file SEED" },
  { listen: "listen ADDR --out DIR --seed-file SEED", dial: "send TREE ADDR --seed-file SEED" },
  {
    listen: "listen ADDR --offer FILE --seed-file SEED",
    dial: "receive ADDR --out DIR --seed-file SEED",
  },
];

/** What they need of an address is what the others need. */
const TCP_PAIRS: readonly Pair[] = [
  {
    listen: "listen ADDR --echo --bench --seed-file SEED",
    dial: "bench ADDR --seed-file SEED",
  },
  {
    listen: "listen ADDR --echo --seed-file SEED",
    dial: "top ADDR --count 1 --seed-file SEED",
  },
  { listen: "chat --listen ADDR --seed-file SEED", dial: "chat ADDR --seed-file SEED" },
];

const certificate = certificateForTest();

interface Side {
  readonly args: string[];
  readonly permissions: readonly string[];
}

/** One of the two sides; its ADDR, HOST and PORT are those of `address`. */
function side(command: string, how: string, address: string, names: Names): Side {
  const url = new URL(address.replace(/^[a-z]+/, "http"));
  const scheme = address.slice(0, address.indexOf(":") + 1);
  const key = scheme === "wss:" || scheme === "udp:" ? `${scheme}, ${how}` : scheme;
  const { net, besides } = addressFlags(key);
  const all = { ...names, ADDR: address, HOST: url.hostname, PORT: url.port || "0" };
  const own: string[] = [];
  if (key === "wss:, listening") own.push("--cert", "CERT", "--key", "KEY");
  if (key === "wss:, dialling") own.push("--ca", "CA");
  if (command.startsWith("listen")) own.push("--once");
  if (command.startsWith("ping")) own.push("--count", "1");
  if (command.startsWith("bench")) own.push("--duration", "0.05", "--datagrams", "0");
  return {
    args: [...command.split(" "), ...own].map((word) => fill(word, all)),
    permissions: filled([...flagsOf(command), ...besides], net, all),
  };
}

/** One flag less for one side: the `index`th way to leave one out. */
interface Less {
  readonly who: keyof Pair;
  readonly index: number;
}

function reduced(
  { permissions }: Side,
  who: keyof Pair,
  less: Less | undefined,
): { readonly flags: readonly string[]; readonly left: string | undefined } {
  const variant = less?.who === who ? without(permissions)[less.index] : undefined;
  return variant ?? { flags: permissions, left: undefined };
}

/** Runs both sides, and looks at what they come to. */
async function run(pair: Pair, scheme: string, names: Names, less?: Less): Promise<void> {
  const all = { ...names, DIR: await mkdtemp(join(names["FOLDER"] ?? "", "inbox-")) };
  await withChildren(async (start) => {
    const listen = side(pair.listen, "listening", `${scheme}://127.0.0.1:0`, all);
    const listening = reduced(listen, "listen", less);
    const listener = start(listen.args, { permissions: listening.flags });
    const stands = await listener.errorLine(/listening on \S+\n/).then(() => true, () => false);
    if (!stands) return await failsClearly(listener, listening.left ?? "nothing");
    const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
    const dial = side(pair.dial, "dialling", address, all);
    const dialling = reduced(dial, "dial", less);
    const dialler = start(dial.args, { permissions: dialling.flags });
    if (dialling.left !== undefined) return await failsClearly(dialler, dialling.left);
    const exit = await dialler.exit();
    if (listening.left !== undefined) return await failsClearly(listener, listening.left);
    assert.equal(exit, 0, `${pair.dial} ${scheme}: ${dialler.stderr}`);
    // PINGs are a visit, which a listener with --once does not count; others have no such option.
    const once = pair.listen.startsWith("listen ") && !/^(ping|top) /.test(pair.dial);
    if (once) assert.equal(await listener.exit(), 0, listener.stderr);
  });
}

for (const scheme of ["tcp", "ws", "udp", "wss"]) {
  test(`${scheme}: every command runs with the flags that are documented`, {
    skip: scheme === "wss" ? certificate.skip ?? false : false,
  }, async () => {
    await withNames(async (names) => {
      const folder = names["FOLDER"] ?? "";
      const pem = {
        CERT: join(folder, "cert"),
        KEY: join(folder, "key"),
        CA: join(folder, "cert"),
      };
      if (certificate.skip === undefined) {
        await writeFile(pem.CERT, certificate.cert);
        await writeFile(pem.KEY, certificate.key);
      }
      const all = scheme === "tcp" ? [...PAIRS, ...TCP_PAIRS] : PAIRS;
      const pairs = scheme === "wss" ? PAIRS.slice(0, 1) : all;
      await inTurns(pairs.map((pair) => () => run(pair, scheme, { ...names, ...pem })));
    });
  });
}

/** A port of the loopback that is free, or is served until the end of `act`. */
async function withPort(
  served: boolean,
  act: (place: string) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => void socket.end("content"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const closed = new Promise((resolve) => server.once("close", resolve));
  if (!served) server.close();
  if (!served) await closed;
  await act(`127.0.0.1:${port}`);
  if (served) server.close();
}

test("forward runs with the flags that are documented, and says where one is missing", async () => {
  const commands = {
    listen: "forward --listen ADDR --allow TARGET --seed-file SEED",
    dial: "forward ADDR -L LOCAL:TARGET --seed-file SEED",
  };
  await withNames(async (names) => {
    await withPort(true, async (TARGET) => {
      const forward = async (LOCAL: string, without?: string): Promise<void> => {
        await withChildren(async (start) => {
          const all = { ...names, TARGET, LOCAL };
          const begin = (command: string, how: string, address: string): Child => {
            const { args, permissions } = side(command, how, address, all);
            const left = permissions.map((flag) => flag.replace(`,${without}`, ""));
            return start(args, { permissions: left });
          };
          const listener = begin(commands.listen, "listening", "tcp://127.0.0.1:0");
          await listener.errorLine(/listening on \S+\n/);
          const address = /listening on (\S+)\n/.exec(listener.stderr)?.[1] ?? "";
          const dialler = begin(commands.dial, "dialling", address);
          if (without === LOCAL) return await failsClearly(dialler, "--allow-net");
          await dialler.errorLine(/forwarding \S+ here to \S+ there\n/);
          const got = await contentOf(LOCAL);
          assert.equal(got, without === TARGET ? "" : "content", listener.stderr);
          if (without === TARGET) {
            await listener.errorLine(/run again with the --allow-net flag/);
          }
        });
      };
      await withPort(false, (place) => forward(place));
      await withPort(false, (place) => forward(place, place));
      await withPort(false, (place) => forward(place, TARGET));
    });
  });
});

/** What a TCP server sends; nothing where the connection is reset. */
function contentOf(place: string): Promise<string> {
  const [host = "", port = ""] = place.split(":");
  return new Promise((resolve) => {
    let text = "";
    const socket = connectTcp({ host, port: Number(port) });
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", () => resolve(text));
    socket.on("end", () => resolve(text));
  });
}

test("every command says which flag is missing, and ends with a code above 0", async () => {
  await withNames(async (names) => {
    const acts: (() => Promise<void>)[] = [];
    const scenes: [string, readonly Pair[]][] = [
      ["tcp", PAIRS.slice(1).filter(({ dial }) => !dial.startsWith("send TREE"))],
      ["ws", PAIRS.slice(0, 1)],
    ];
    for (const [scheme, pairs] of scenes) {
      for (const pair of pairs) {
        for (const [who, how] of [["listen", "listening"], ["dial", "dialling"]] as const) {
          const { permissions } = side(pair[who], how, `${scheme}://127.0.0.1:0`, names);
          without(permissions).forEach((_, index) =>
            acts.push(() => run(pair, scheme, names, { who, index }))
          );
        }
      }
    }
    assert(acts.length >= 18, `${acts.length} ways`);
    await inTurns(acts);
  });
});
