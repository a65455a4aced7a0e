/** The adapter without a process around it: what `deno task conformance` runs by default. @module */
import type { CryptoProvider } from "../src/crypto/mod.ts";
import { answerer } from "./adapter/operations.ts";
import { type Answer, type Implementation, ImplementationFault, type Request } from "./protocol.ts";

export class InProcess implements Implementation {
  readonly name: string;
  readonly #answer: (request: Request) => Promise<Answer>;

  constructor(provider: CryptoProvider) {
    this.name = `this project, ${provider.name} provider`;
    this.#answer = answerer(provider);
  }

  async call(request: Request): Promise<Answer> {
    try {
      // Through JSON, as every other program gets it.
      return JSON.parse(JSON.stringify(await this.#answer(request)));
    } catch (error) {
      throw new ImplementationFault(`crashed: ${error instanceof Error ? error.message : error}`);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
