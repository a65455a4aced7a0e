/** The twin as a program under test: data and cases must pass it, or they are wrong themselves. @module */
import type { Answer, Implementation, Request } from "./protocol.ts";
import { twinCall } from "./twin/ops.ts";

export class TwinImplementation implements Implementation {
  readonly name: string = "twin";

  call(request: Request): Promise<Answer> {
    if (JSON.stringify(request.value ?? null).includes('"native"')) {
      return Promise.resolve({ unsupported: true });
    }
    return Promise.resolve(JSON.parse(JSON.stringify(twinCall(request))) as Answer);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
