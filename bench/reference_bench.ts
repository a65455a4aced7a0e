const STEPS = 10_000;
let state = 1;

// What scripts/bench_report.ts divides by: it changes with the machine and never with this repository.
Deno.bench("reference: 10000 steps of a loop that never changes", { group: "reference" }, () => {
  for (let i = 0; i < STEPS; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) | 0;
  }
});
