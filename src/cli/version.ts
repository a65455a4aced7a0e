/**
 * What `stt version` says. A test keeps it equal to deno.json's version.
 *
 * @module
 */
import { VERSION } from "../constants.ts";

export const PACKAGE_VERSION = "0.1.0";

export const VERSION_TEXT: string = `stt ${PACKAGE_VERSION}, protocol STT/${VERSION}`;
