import { z } from "zod";
import { NAMESPACE, stackSchema } from "../stack";

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Keys that the engine itself writes into a stack file next to `config`. */
const ENGINE_KEYS: Record<string, JsonSchema> = {
  secretsprovider: {
    type: "string",
    description: "The service that encrypts the secrets; written by Pulumi.",
  },
  encryptedkey: { type: "string", description: "Written by Pulumi." },
  encryptionsalt: { type: "string", description: "Written by Pulumi." },
  environment: { description: "Pulumi ESC environments." },
};

const ENCRYPTED: JsonSchema = {
  type: "object",
  title: "secret",
  properties: {
    secure: {
      type: "string",
      description: "The encrypted value; written by `npm run pulumi -- config set --secret`.",
    },
  },
  required: ["secure"],
  additionalProperties: false,
};

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema of the values in the file, where every text of `secrets` is encrypted. */
function encrypted(schema: JsonSchema): JsonSchema {
  if (schema.type === "string") return { ...ENCRYPTED, description: schema.description };
  const { properties, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, child]) => [key, isSchema(child) ? encrypted(child) : child]),
      ),
    }),
    ...(isSchema(additionalProperties) && { additionalProperties: encrypted(additionalProperties) }),
  };
}

/** JSON Schema of everything under `hearth:`, with secrets in clear text; keys with defaults are optional. */
export function stackJsonSchema(): JsonSchema {
  return z.toJSONSchema(stackSchema, { io: "input", target: "draft-7" });
}

/** JSON Schema of a whole stack file, for editors and for checks without the program. */
export function stackFileJsonSchema(): JsonSchema {
  const { properties = {}, required = [], definitions } = stackJsonSchema();
  const keys = Object.entries(properties).map(([section, schema]): [string, JsonSchema] => {
    if (!isSchema(schema)) throw new Error(`the schema of ${section} is not a JSON Schema object`);
    return [`${NAMESPACE}:${section}`, section === "secrets" ? encrypted(schema) : schema];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Hearth stack file",
    type: "object",
    properties: {
      config: {
        type: "object",
        description: "The stack's configuration: Hearth's keys, and the keys of other providers.",
        properties: Object.fromEntries(keys),
        patternProperties: { [`^(?!${NAMESPACE}:)`]: {} },
        required: required.map((section) => `${NAMESPACE}:${section}`),
        additionalProperties: false,
      },
      ...ENGINE_KEYS,
    },
    required: ["config"],
    additionalProperties: false,
    definitions,
  };
}
