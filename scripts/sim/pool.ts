/**
 * Runs on several cores, one worker each.
 *
 * @module
 */
import type { RunAnswer, RunRequest } from "./messages.ts";

/** Real time after which a run hangs; the longest take a few seconds. */
const PATIENCE_MS = 120_000;

/** Makes all `runs`, at most `jobs` at a time; `onAnswer` is called for each as it ends. */
export async function runAll(
  runs: Iterator<RunRequest>,
  jobs: number,
  onAnswer: (answer: RunAnswer) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: jobs }, () => work(runs, onAnswer)));
}

async function work(
  runs: Iterator<RunRequest>,
  onAnswer: (answer: RunAnswer) => void,
): Promise<void> {
  let worker: Worker | undefined;
  for (let next = runs.next(); next.done !== true; next = runs.next()) {
    worker ??= new Worker(new URL("worker.ts", import.meta.url), { type: "module" });
    const answer = await ask(worker, next.value);
    if (answer.result === undefined && answer.tookMs >= PATIENCE_MS) {
      worker.terminate();
      worker = undefined;
    }
    onAnswer(answer);
  }
  worker?.terminate();
}

function ask(worker: Worker, request: RunRequest): Promise<RunAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = `Error: no end after ${PATIENCE_MS} ms of real time`;
      resolve({ ...request, error, tookMs: PATIENCE_MS });
    }, PATIENCE_MS);
    worker.onmessage = ({ data }: MessageEvent<RunAnswer>) => {
      clearTimeout(timer);
      resolve(data);
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error(`the worker failed: ${event.message}`));
    };
    worker.postMessage(request);
  });
}
