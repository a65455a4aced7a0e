/**
 * A session whose listening side answers endpoints.
 *
 * @module
 */
import { type Joined, joined, type JoinedOptions } from "../joined_for_test.ts";
import { Endpoints, type EndpointsOptions, type ServeOptions } from "./endpoints.ts";

export interface Served extends Joined {
  readonly endpoints: Endpoints;
}

export async function served(
  options: JoinedOptions & {
    readonly endpoints?: EndpointsOptions;
    readonly serve?: ServeOptions;
  },
  run: (ends: Served) => Promise<void>,
): Promise<void> {
  await joined(options, async (ends) => {
    const endpoints = new Endpoints(options.endpoints);
    const serving = endpoints.serve(ends.server, options.serve);
    await run({ ...ends, endpoints });
    ends.client.abort();
    await serving;
  });
}

/** A promise and what settles it. */
export function deferred<T = void>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Resolves with the reason when a signal is aborted. */
export function abortOf(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}
