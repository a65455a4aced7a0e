import { test } from "node:test";
import { type Cell, CELLS } from "./simulation/cells_for_test.ts";
import { simulate } from "./simulation/simulate_for_test.ts";

/** Cells that differ in the round trip, or in the faults beside the loss, are one test. */
const groups = new Map<string, [number, Cell][]>();
for (const entry of CELLS.entries()) {
  const [group] = entry[1].name.split(" ", 1) as [string];
  groups.set(group, [...groups.get(group) ?? [], entry]);
}

// A slice of `deno task sim`: one seed per cell, and another one for the next, so that every controller takes part.
for (const [group, cells] of groups) {
  test(`udp: every byte arrives, nothing twice, ${group}`, () => {
    for (const [index, cell] of cells) {
      const seed = index + 1;
      try {
        simulate(cell, seed);
      } catch (error) {
        throw new Error(`deno task sim --only "${cell.name}" --seed ${seed}`, { cause: error });
      }
    }
  });
}
