/**
 * The adapters by name, each loaded when it is wanted: a package that is not installed stands in nobody's way.
 *
 * @module
 */
import type { Adapter } from "./adapter.ts";
import { ourAdapters, type OurOptions } from "./ours.ts";

/** Loads an adapter. Throws Error for an unknown name or a package that is not installed. */
export function loadAdapter(name: string, options: OurOptions): Promise<Adapter> {
  const adapter = ourAdapters(options)[name];
  if (adapter === undefined) return Promise.reject(new Error(`there is no adapter ${name}`));
  return Promise.resolve(adapter);
}
