/**
 * What is mutated, and the tests that should notice.
 *
 * @module
 */

/** Folders and files of the core. */
export const MUTATED: readonly string[] = [
  "src/handshake",
  "src/session",
  "src/streams/flow_control.ts",
  "src/streams/peer_streams.ts",
];

/**
 * Folders and files of tests that are run; of these, a mutant meets only those that reach it. They stand on pure code
 * and virtual time, so that they run many times in one process.
 */
export const TESTS: readonly string[] = [
  "src/handshake",
  "src/session",
  "src/streams",
  "src/connection/close_test.ts",
  "src/connection/connection_attack_test.ts",
  "src/connection/early_data_test.ts",
  "src/connection/establish_test.ts",
  "src/connection/floods_test.ts",
  "src/connection/hostile_frames_test.ts",
  "src/connection/rotation_test.ts",
];

/** Where the constants are declared that the core shares with others. */
export const SHARED_CONSTANTS = "src/constants.ts";

/** Most survivors, as a share of all mutants. */
export const MOST_SURVIVORS = 0.1;
