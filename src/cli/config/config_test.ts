import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../../codec/hex.ts";
import { withFolder } from "../../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import { listen } from "../../endpoint/listener.ts";
import { type FakeRun, runCommand } from "../io_for_test.ts";

const SEED = "7e".repeat(32);
const WINDOWS = process.platform === "win32";

interface Scene {
  readonly folder: string;
  readonly path: string;
  write(config: unknown, mode?: number): Promise<void>;
  run(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<FakeRun>;
}

async function withConfig(act: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "config.json");
    await act({
      folder,
      path,
      write: async (config, mode = 0o600) => {
        await writeFile(path, typeof config === "string" ? config : JSON.stringify(config));
        await chmod(path, mode);
      },
      run: (argv, env = {}) => runCommand(argv, { env: { STT_CONFIG: path, ...env } }),
    });
  });
}

/** Name to [value, source] of `config show`. */
async function shown(scene: Scene, ...argv: string[]): Promise<Record<string, [unknown, unknown]>> {
  const { stdout, exit, stderr } = await scene.run(["config", "show", ...argv, "--json"]);
  assert.equal(exit, 0, stdout + stderr);
  const settings: Record<string, [unknown, unknown]> = {};
  for (const line of stdout.trim().split("\n")) {
    const { event, name, value, source } = JSON.parse(line) as Record<string, string>;
    if (event === "setting") settings[String(name)] = [value, source];
  }
  return settings;
}

test("a peer of the configuration is dialled by its name, with its seed and its pin", async () => {
  await withConfig(async (scene) => {
    const seed = generateSeed();
    const listener = await listen("tcp://127.0.0.1:0", { seed });
    try {
      await writeFile(join(scene.folder, "net.seed"), toHex(seed), { mode: 0o600 });
      await scene.write({
        peers: {
          laptop: {
            address: listener.address,
            "seed-file": "net.seed",
            expect: toHex(listener.nodeId),
          },
          impostor: { address: listener.address, seed: toHex(seed), expect: "0".repeat(64) },
        },
        commands: { ping: { count: 2, interval: 1 } },
      });
      const { exit, stdout, stderr } = await scene.run(["ping", "laptop"]);
      assert.equal(exit, 0, stderr);
      assert.match(stderr, /\(as expected\)/);
      assert.match(stdout, /^2 pongs/m);
      assert.equal((await scene.run(["ping", "impostor"])).exit, 4);
      const one = await scene.run(["ping", "laptop", "--count", "1"]);
      assert.match(one.stdout, /^1 pong,/m);
    } finally {
      await listener.close();
    }
  });
});

test("arguments come before the environment, that before the file, there the peer first", async () => {
  await withConfig(async (scene) => {
    await scene.write({
      defaults: { timeout: 1, "seed-file": "d.seed", quiet: true, "node-seed-file": "~/n.seed" },
      commands: { send: { timeout: 2, exclude: ["*.o", ".git/"], resume: false } },
      peers: { desk: { address: "tcp://192.0.2.1:9", timeout: 3, seed: SEED } },
    });
    const { folder } = scene;
    const general = await shown(scene, "ping");
    assert.deepEqual(general["timeout"], ["1", "defaults"]);
    assert.deepEqual(general["seed-file"], [join(folder, "d.seed"), "defaults"]);
    assert.deepEqual(general["quiet"], ["true", "defaults"]);
    assert.equal(general["exclude"], undefined);
    const command = await shown(scene, "send");
    assert.deepEqual(command["timeout"], ["2", "commands.send"]);
    assert.deepEqual(command["exclude"], ["*.o, .git/", "commands.send"]);
    assert.deepEqual(command["no-resume"], ["true", "commands.send"]);
    const peer = await shown(scene, "send", "desk");
    assert.deepEqual(peer["timeout"], ["3", "peers.desk"]);
    assert.deepEqual(peer["address"], ["tcp://192.0.2.1:9", "peers.desk"]);
    assert.deepEqual(peer["seed"], ["(a seed, not shown)", "peers.desk"]);
    assert.equal(peer["seed-file"], undefined, "the peer's seed comes before the file of all");
    const { stdout } = await scene.run(["config", "show", "send", "desk"], { STT_SEED: SEED });
    assert.match(stdout, /^seed +\(a seed, not shown\) +STT_SEED$/m);
    assert(!stdout.includes(SEED) && !stdout.includes("d.seed"));
  });
});

test("--no-resume on the line beats resume in the file, and --to-stdout its folder", async () => {
  await withConfig(async (scene) => {
    await scene.write({ commands: { receive: { resume: true, out: "nowhere" } } });
    const argv = ["receive", "tcp://127.0.0.1:1", "--no-resume", "--to-stdout"];
    const { exit, stderr } = await scene.run(argv, { STT_SEED: SEED });
    assert.equal(exit, 3, stderr);
    const folder = await scene.run(["receive", "tcp://127.0.0.1:1"], { STT_SEED: SEED });
    assert.match(folder.stderr, /cannot use folder ".*nowhere"/);
  });
});

test("what the file has for the other side of a command does not stop this one", async () => {
  await withConfig(async (scene) => {
    await scene.write({
      commands: {
        forward: { allow: "a:1", retry: 0, cert: "c", key: "k" },
        listen: { exclude: ["*.o"], "max-size": 5 },
      },
    });
    const env = { STT_SEED: SEED };
    const nowhere = "tcp://127.0.0.1:1";
    const dial = await scene.run(["forward", nowhere, "-L", "0:a:1"], env);
    assert.equal(dial.exit, 3, dial.stderr);
    const taken = await scene.run(["forward", "--listen", "tcp://192.0.2.1:1"], env);
    assert.match(taken.stderr, /cannot (read|listen)/);
    assert.match((await scene.run(["listen", "tcp://192.0.2.1:1"], env)).stderr, /cannot listen/);
  });
});

test("--web and --offer leave the folder that the file names: pages send files there", async () => {
  await withConfig(async (scene) => {
    await scene.write({ commands: { listen: { out: "nowhere", offer: "gone", echo: true } } });
    const env = { STT_SEED: SEED };
    const web = ["listen", "ws://127.0.0.1:0/", "--web"];
    for (const argv of [web, [...web, "--offer", "x"]]) {
      const { exit, stderr } = await scene.run(argv, env);
      assert.equal(exit, 5, stderr);
      assert.match(stderr, /cannot use folder ".*nowhere"/);
    }
    // Who names a folder does not offer, whatever the file says.
    const receiving = ["listen", "ws://127.0.0.1:0/", "--out", join(scene.folder, "other")];
    assert.match((await scene.run(receiving, env)).stderr, /cannot use folder ".*other"/);
  });
});

test("every mistake is named with its path, and none with its value", async () => {
  await withConfig(async (scene) => {
    await scene.write({
      peer: {},
      defaults: { "seed-fle": SEED, timeout: true, keylog: "x", expect: "x", congestion: SEED },
      commands: { snd: {}, config: {}, send: { exclude: [1], resume: "yes", seed: SEED } },
      peers: { a: { adress: SEED }, "b c": { address: "tcp://x:1" }, d: 5 },
    });
    const { exit, stderr } = await scene.run(["config", "check"]);
    assert.equal(exit, 2);
    const expected = [
      "peer is not known: did you mean peers?",
      "defaults.seed-fle is not known: did you mean seed-file?",
      "defaults.timeout takes a text or a number",
      "defaults.keylog is not known",
      "defaults.expect is not known",
      "defaults.congestion takes one of cubic, bbr, newreno",
      "commands.snd is not known: did you mean send?",
      "commands.config is not known",
      "commands.send.exclude takes a text or a number, or a list of texts",
      "commands.send.resume takes true or false",
      "commands.send.seed is not known: did you mean seed-file?",
      "peers.a.adress is not known: did you mean address?",
      "peers.a has no address",
      'peers.b c is no name: a letter, then letters, digits, ".", "_" and "-"',
      "peers.d is no object",
      "peers.d has no address",
    ];
    const lines = stderr.trim().split("\n").map((line) => line.replace(/^.*config\.json: /, ""));
    assert.deepEqual(lines.sort(), expected.sort());
    assert(!stderr.includes(SEED));
    const ping = await scene.run(["ping", "a"]);
    assert.equal(ping.exit, 2);
    assert.match(ping.stderr, /cannot use configuration .*; and 15 more: stt config check/);
    // What has nothing to do with it goes on.
    assert.equal((await scene.run(["completions", "bash"])).exit, 0);
    assert.equal((await scene.run(["help"])).exit, 0);
  });
});

test("what is no JSON is refused with its place, not with its text", async () => {
  await withConfig(async (scene) => {
    await scene.write(`{\n  "defaults": { "seed": "${SEED}" ;\n}`);
    const { exit, stderr } = await scene.run(["config", "check"]);
    assert.equal(exit, 2);
    assert.match(stderr, /it is no JSON/);
    assert(!stderr.includes("7e7e"));
    await scene.write("[]");
    assert.match((await scene.run(["config", "check"])).stderr, /the file is no object/);
    await scene.write(`{"$schema": "${"x".repeat(1_100_000)}"}`);
    assert.match((await scene.run(["config", "check"])).stderr, /exceed 1048576/);
  });
});

test("a seed in a file that others can read is refused, and a file that all can change", {
  skip: WINDOWS ? "Windows has no such bits" : false,
}, async () => {
  await withConfig(async (scene) => {
    const secret = { defaults: { seed: SEED } };
    for (const mode of [0o644, 0o640, 0o604]) {
      await scene.write(secret, mode);
      const { exit, stderr } = await scene.run(["ping", "tcp://127.0.0.1:1"]);
      assert.equal(exit, 2);
      assert.match(stderr, /holds a seed and others can read it: chmod 600 it/);
    }
    await scene.write(secret);
    assert.equal((await scene.run(["ping", "tcp://127.0.0.1:1"])).exit, 3);
    await scene.write({ defaults: {} }, 0o666);
    assert.match((await scene.run(["config"])).stderr, /everybody can change it/);
    await scene.write({ defaults: {} }, 0o644);
    assert.equal((await scene.run(["config"])).exit, 0);
  });
});

test("where the file is: --config, STT_CONFIG, XDG_CONFIG_HOME, HOME, or nowhere", async () => {
  await withFolder(async (folder) => {
    const path = async (
      env: Readonly<Record<string, string>>,
      ...argv: string[]
    ): Promise<string> => (await runCommand(["config", "path", ...argv], { env })).stdout.trim();
    const named = join(folder, "a.json");
    assert.equal(await path({ STT_CONFIG: named }), named);
    assert.equal(
      await path({ STT_CONFIG: named }, "--config", join(folder, "b")),
      join(folder, "b"),
    );
    assert.equal((await runCommand(["config", "path"], { env: { STT_CONFIG: "" } })).exit, 2);
    if (!WINDOWS) {
      const xdg = { XDG_CONFIG_HOME: folder, HOME: "/nowhere" };
      assert.equal(await path(xdg), join(folder, "stt", "config.json"));
      assert.equal(await path({ HOME: folder }), join(folder, ".config", "stt", "config.json"));
      await mkdir(join(folder, ".config", "stt"), { recursive: true });
      await writeFile(join(folder, ".config", "stt", "config.json"), '{"defaults":{"timout":1}}');
      const found = await runCommand(["ping", "tcp://127.0.0.1:1"], { env: { HOME: folder } });
      assert.match(found.stderr, /defaults\.timout is not known: did you mean timeout\?/);
    }
    // A file that was asked for must be there; one that was not need not.
    const missing = await runCommand(["ping", "x:1", "--config", join(folder, "none")]);
    assert.match(missing.stderr, /cannot read .*none.*no such file/);
    const env = { HOME: join(folder, "none"), STT_SEED: SEED };
    assert.equal((await runCommand(["ping", "tcp://127.0.0.1:1"], { env })).exit, 3);
  });
});

test("a name that is no peer gets a suggestion, and an address goes as it is", async () => {
  await withConfig(async (scene) => {
    await scene.write({ peers: { laptop: { address: "tcp://127.0.0.1:1", seed: SEED } } });
    const { exit, stderr } = await scene.run(["ping", "lptop"]);
    assert.equal(exit, 2);
    assert.match(stderr, /"lptop" is neither an address nor a peer of .*did you mean laptop\?/);
    assert.equal((await scene.run(["ping", "laptop"])).exit, 3);
    const address = await scene.run(["ping", "tcp://127.0.0.1:1"], { STT_SEED: SEED });
    assert.equal(address.exit, 3);
    for (const argv of [["show", "pong"], ["show", "ping", "laptob"], ["shwo"], ["path", "x"]]) {
      assert.equal((await scene.run(["config", ...argv])).exit, 2, argv.join(" "));
    }
  });
});

test("config without a file, and with mistakes in it", async () => {
  await withFolder(async (folder) => {
    const env = WINDOWS ? { APPDATA: folder } : { XDG_CONFIG_HOME: folder, STT_SEED: SEED };
    const none = await runCommand(["config"], { env });
    assert.equal(none.exit, 0);
    assert.match(none.stderr, /config\.json \(not there\)/);
    if (!WINDOWS) assert.match(none.stdout, /^seed +\(a seed, not shown\) +STT_SEED$/m);
    assert.match((await runCommand(["config", "check"], { env })).stdout, /^no configuration at/);
    assert.equal((await runCommand(["config", "show", "ping"], { env })).exit, 0);
  });
  await withConfig(async (scene) => {
    await scene.write({ default: {} });
    const { exit, stderr } = await scene.run(["config"]);
    assert.equal(exit, 2);
    assert.match(stderr, /default is not known: did you mean defaults\?/);
    await scene.write({
      defaults: { json: false, native: true },
      commands: { listen: { offer: ["a", "~/b"], once: true } },
      peers: { a: { address: "tcp://x:1", seed: SEED } },
    });
    const all = await scene.run(["config", "show"]);
    assert.match(all.stdout, /^commands\.listen\.offer +a, ~\/b +file$/m);
    assert.match(all.stdout, /^peers\.a\.seed +\(a seed, not shown\) +file$/m);
    assert.match((await scene.run(["config", "check"])).stdout, /has no mistakes$/m);
    const listen = await shown(scene, "listen");
    assert.deepEqual(listen["offer"], [`${join(scene.folder, "a")}, ~/b`, "commands.listen"]);
    assert.equal(listen["json"], undefined);
    assert.deepEqual(listen["native"], ["true", "defaults"]);
  });
});
