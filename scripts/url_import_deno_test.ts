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

/** Runs `code` in a fresh Deno that knows neither our configuration nor any cached module. */
async function runFresh(code: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "stt-url-" });
  try {
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

Deno.test({
  name: "mod.ts loads by URL without a configuration or an import map",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    const server = serveCheckout();
    try {
      const { code, stdout, stderr } = await runFresh(`
        import { errorCodeOf } from "${server.origin}/mod.ts";
        import { decodeVarint, encodeVarint } from "${server.origin}/src/codec/mod.ts";
        console.log(errorCodeOf(0x14), decodeVarint(encodeVarint(300)).value);
      `);
      assert.equal(stderr.replaceAll(/^Download .*\n/gm, ""), "");
      assert.equal(stdout, "REFUSED 300\n");
      assert.equal(code, 0);
      assert.ok(server.requested.includes("mod.ts"));
    } finally {
      await server.close();
    }
  },
});
