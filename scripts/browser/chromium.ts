/**
 * A Chromium of this machine, for the tests of the page.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

const NAMES: readonly string[] = ["chromium", "chromium-browser", "google-chrome"];

/** Where it is: `STT_CHROMIUM`, or a program of the path; undefined when there is none. */
export function chromiumPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = [
    process.env.STT_CHROMIUM ?? "",
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
  ];
  return places.find((place) => place !== "" && existsSync(place));
}
