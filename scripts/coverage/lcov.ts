/**
 * Reads an LCOV report into counts per file.
 *
 * @module
 */

/** How much of something ran. */
export interface Share {
  readonly hit: number;
  readonly found: number;
}

/** What ran of one file. */
export interface FileCoverage {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly lines: Share;
  readonly branches: Share;
  /** Numbers of the lines that did not run, and of those with a branch that did not. */
  readonly missed: readonly number[];
}

/** The files of an LCOV report that stand below `root`, sorted. */
export function parseLcov(text: string, root: string): FileCoverage[] {
  const files: FileCoverage[] = [];
  for (const record of text.split("end_of_record")) {
    const path = /^SF:(.+)$/m.exec(record)?.[1];
    if (path === undefined || !path.startsWith(root)) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
    const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(\d+|-)$/gm)];
    const ran = (times: string | undefined): boolean => times !== "0" && times !== "-";
    const missed = new Set(
      [...lines, ...branches].filter(([, , times]) => !ran(times)).map(([, line]) => Number(line)),
    );
    const share = (all: RegExpMatchArray[]): Share => ({
      hit: all.filter(([, , times]) => ran(times)).length,
      found: all.length,
    });
    files.push({
      file: path.slice(root.length).replaceAll("\\", "/"),
      lines: share(lines),
      branches: share(branches),
      missed: [...missed].sort((a, b) => a - b),
    });
  }
  return files.sort((a, b) => a.file < b.file ? -1 : 1);
}

/** The sum over all files. */
export function sum(shares: readonly Share[]): Share {
  return shares.reduce((all, one) => ({
    hit: all.hit + one.hit,
    found: all.found + one.found,
  }), { hit: 0, found: 0 });
}

/** In percent; nothing to run is all of it. */
export function percent({ hit, found }: Share): number {
  return found === 0 ? 100 : 100 * hit / found;
}

/** Numbers as ranges: `3-5 9`. */
export function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let j = i;
    while (numbers[j + 1] === (numbers[j] ?? 0) + 1) j++;
    parts.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`);
    i = j + 1;
  }
  return parts.join(" ");
}
