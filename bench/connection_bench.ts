import { pair } from "../src/testing/mod.ts";

Deno.bench("handshake: both sides in virtual time", { group: "handshake" }, () => {
  const both = pair({ seed: 1 });
  both.establish();
});

for (const size of [64, 1200, 65_536]) {
  const both = pair({ seed: 2 });
  both.establish();
  const id = both.a.streams.open(0) as number;
  const chunk = new Uint8Array(size);
  Deno.bench(`stream: write, seal, open and read ${size} B`, { group: "stream" }, () => {
    both.a.streams.write(id, chunk);
    both.settle();
    for (;;) {
      const bytes = both.b.streams.read(id);
      if (bytes === undefined || bytes === null) break;
    }
  });
}
