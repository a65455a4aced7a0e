/**
 * Writes all mutants of a file into one text, each behind a switch, so that one load of the code serves all of them.
 *
 * @module
 */

import type { Mutant } from "./mutants.ts";

/** The function that instrumented code asks which mutant is on; the worker defines it as a global. */
export const SWITCH = "__mutant";

interface Site {
  readonly start: number;
  readonly end: number;
  readonly mutants: { readonly id: number; readonly text: string }[];
}

/** `source` with every mutant of `mutants` in it; mutant i is on when `__mutant(firstId + i)` is true. */
export function instrument(source: string, mutants: readonly Mutant[], firstId: number): string {
  const sites: Site[] = [];
  mutants.forEach(({ start, end, text }, index) => {
    const mutant = { id: firstId + index, text };
    const site = sites.find((one) => one.start === start && one.end === end);
    if (site === undefined) sites.push({ start, end, mutants: [mutant] });
    else site.mutants.push(mutant);
  });
  // Outer sites before the inner ones that begin with them.
  sites.sort((a, b) => a.start - b.start || b.end - a.end);
  let next = 0;

  function render(from: number, to: number): string {
    let out = "";
    let at = from;
    for (let site = sites[next]; site !== undefined && site.start < to; site = sites[next]) {
      next++;
      out += source.slice(at, site.start);
      const original = render(site.start, site.end);
      const choices = site.mutants.map(({ id, text }) => `${SWITCH}(${id}) ? (${text}) : `);
      out += `(${choices.join("")}(${original}))`;
      at = site.end;
    }
    return out + source.slice(at, to);
  }
  return render(0, source.length);
}
