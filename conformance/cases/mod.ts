/** The built-in cases, by section of SPEC.md. @module */
import type { Case } from "../case.ts";

export function builtInCases(): Case[] {
  return [];
}
