import assert from "node:assert/strict";
import { ROOT } from "./source_files.ts";

/** Serves the checkout's TypeScript files, the way a raw file host does. */
function serveCheckout(): { origin: string; requested: string[]; close: () => Promise<void> } {
  const requested: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      requested.push(path);
      if (!path.endsWith(".ts") || path.includes("..")) return new Response(null, { status: 404 });
      try {
        const text = await Deno.readTextFile(new URL(path, ROOT));
        return new Response(text, { headers: { "content-type": "application/typescript" } });
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
        throw error;
      }
    },
  );
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    requested,
    close: () => server.shutdown(),
  };
}

/** The npm packages that are downloaded already, so that a fresh Deno finds `npm:ws` without a network. */
async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const info = JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string };
  return info.npmCache;
}

/** Runs `code` in a Deno that knows neither our configuration nor any cached module, and must exit by itself. */
async function runFresh(code: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "stt-url-" });
  try {
    await Deno.mkdir(`${folder}/cache`);
    const type = Deno.build.os === "windows" ? "junction" : "dir";
    await Deno.symlink(await npmCache(), `${folder}/cache/npm`, { type });
    await Deno.writeTextFile(`${folder}/main.ts`, code);
    const { code: exit, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", `${folder}/main.ts`],
      cwd: folder,
      env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    return { code: exit, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A program that imports `origin`/mod.ts and sends one message through a session over `address`. */
function sessionProgram(origin: string, address: string): string {
  return `
    import { connect, generateSeed, listen } from "${origin}/mod.ts";
    const seed = generateSeed();
    const listener = await listen("${address}", { seed });
    const client = await connect(listener.address, { seed });
    const server = await listener.nextPeer();
    if (server === undefined) throw new Error("no peer");
    await client.send(new TextEncoder().encode("over a session"));
    for await (const { data } of server.messages()) {
      console.log(new TextDecoder().decode(data));
      break;
    }
    await client.close();
    await listener.close();
  `;
}

const PROGRAMS: readonly [name: string, program: (origin: string) => string, stdout: string][] = [
  [
    "decodes with the codec",
    (origin) => `
      import { errorCodeOf } from "${origin}/mod.ts";
      import { decodeVarint, encodeVarint } from "${origin}/src/codec/mod.ts";
      console.log(errorCodeOf(0x14), decodeVarint(encodeVarint(300)).value);
    `,
    "REFUSED 300\n",
  ],
  [
    "has a session in memory",
    (origin) => sessionProgram(origin, "mem:url-import"),
    "over a session\n",
  ],
  [
    "has a session over WebSocket, with ws loaded on first use",
    (origin) => sessionProgram(origin, "ws://127.0.0.1:0/"),
    "over a session\n",
  ],
];

for (const [name, program, expected] of PROGRAMS) {
  Deno.test({
    name: `mod.ts by URL, without configuration or import map, ${name}`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const server = serveCheckout();
      try {
        const { code, stdout, stderr } = await runFresh(program(server.origin));
        assert.equal(stderr.replaceAll(/^(Download|Check) .*\n/gm, ""), "");
        assert.equal(stdout, expected);
        assert.equal(code, 0);
        assert.ok(server.requested.includes("mod.ts"));
      } finally {
        await server.close();
      }
    },
  });
}
