/**
 * The JSON Schema of the configuration, from the declarations of the parser.
 *
 * @module
 */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { commandKeys, configurable, defaultKeys, peerKeys } from "./keys.ts";

type Schema = Readonly<Record<string, unknown>>;

/** For editors and for other programs; `stt config check` knows the same rules. */
export function configSchema(commands: readonly Command[]): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of stt",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      defaults: settings(defaultKeys(), "For every command that has the option."),
      commands: {
        type: "object",
        additionalProperties: false,
        properties: Object.fromEntries(
          configurable(commands).map((command) => [
            command.name,
            settings(commandKeys(command), command.summary),
          ]),
        ),
      },
      peers: {
        type: "object",
        description: "Names to dial in place of an address.",
        propertyNames: { pattern: "^[A-Za-z][A-Za-z0-9._-]{0,63}$" },
        additionalProperties: { ...settings(peerKeys(), "One peer."), required: ["address"] },
      },
    },
  };
}

function settings(keys: readonly OptionSpec[], description: string): Schema {
  return {
    type: "object",
    description,
    additionalProperties: false,
    properties: Object.fromEntries(keys.map((spec) => [spec.name, schemaOf(spec)])),
  };
}

function schemaOf({ value, multiple, choices, help }: OptionSpec): Schema {
  if (value === undefined) return { type: "boolean", description: help };
  if (choices !== undefined) return { enum: choices, description: help };
  const one = { type: ["string", "number"] };
  if (multiple !== true) return { ...one, description: help };
  return { anyOf: [one, { type: "array", items: { type: "string" } }], description: help };
}
