import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { packageRoot } from '../../package-root.ts';
import { components, problemAnswer } from './answers.ts';
import { tags } from './operations.ts';

/** Makes the document of every route that is registered afterwards, from its zod schemas. */
export async function openapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Holdfast Support',
        version: packageVersion(),
        description,
      },
      tags: tags.map((name) => ({ name })),
      components: { schemas: componentSchemas(), securitySchemes },
    },
    transform,
    transformObject(document) {
      if (!('openapiObject' in document)) return document.swaggerObject;
      markOptionalBodies(document.openapiObject.paths as Paths);
      return document.openapiObject;
    },
  });
}

type JsonSchema = Readonly<Record<string, unknown>>;
type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>;
type Paths = Readonly<Record<string, Readonly<Record<string, ShownOperation>>>>;

interface ShownOperation {
  readonly requestBody?: {
    required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  };
}

const description = `JSON in snake_case, times in ISO 8601. A session is created with a token, which
its customer sends as \`Authorization: Bearer\` or as the cookie; operators send \`ADMIN_API_KEY\`
as \`Authorization: Bearer\`. Every refusal is an \`application/problem+json\` (RFC 9457) with a
stable \`code\`. Every answer to a request that could be read has an
\`X-Request-Id\`: the client's own, if it sent one of at most 128 visible ASCII characters.`;

const securitySchemes = {
  sessionToken: { type: 'http', scheme: 'bearer', description: 'The token of one session.' },
  sessionCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-holdfast',
    description: 'The same token, as browsers have it; over plain HTTP on localhost `holdfast`.',
  },
  operatorKey: { type: 'http', scheme: 'bearer', description: 'ADMIN_API_KEY.' },
} as const;

const transform: Transform = ({ schema, url }) => {
  // The pages, and the routes of the document itself.
  if (schema?.operationId === undefined) return { schema: { hide: true }, url };
  const { params, querystring, headers, body, response, produces, ...rest } = schema;
  const parts = Object.entries({ params, querystring, headers, body }).flatMap(([name, part]) =>
    part instanceof z.ZodType ? [[name, jsonSchema(part, 'input')]] : [],
  );
  const answers = Object.entries(response as Record<string, z.ZodType>);
  return {
    url,
    schema: {
      ...rest,
      ...Object.fromEntries(parts),
      response: Object.fromEntries(
        answers.map(([status, answer]) => [status, shownAnswer(answer, produces)]),
      ),
    },
  };
};

function shownAnswer(answer: z.ZodType, produces: readonly string[] = ['application/json']) {
  const shown = { description: answer.description ?? '' };
  if (answer instanceof z.ZodNull) return { ...shown, type: 'null' };
  const types = answer === problemAnswer ? ['application/problem+json'] : produces;
  const schemas = types.map((type) => [
    type,
    { schema: type.startsWith('text/') ? { type: 'string' } : reference(answer) },
  ]);
  return { ...shown, content: Object.fromEntries(schemas) };
}

function reference(schema: z.ZodType): JsonSchema {
  const id = components.get(schema)?.id;
  return id === undefined ? jsonSchema(schema, 'output') : { $ref: nameOf(id) };
}

const nameOf = (id: string) => `#/components/schemas/${id}`;

function componentSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(components, { ...conversion, uri: nameOf });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return bare(z.toJSONSchema(schema, { ...conversion, io }));
}

const conversion: Pick<z.core.ToJSONSchemaParams, 'unrepresentable' | 'override'> = {
  unrepresentable: 'any',
  override({ jsonSchema }) {
    // How a number is read from a query, or a time checked, says less than what it is.
    if (jsonSchema.type !== 'string' || jsonSchema.format !== undefined) delete jsonSchema.pattern;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
};

function bare({ $schema: _, $id: __, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** @fastify/swagger says of every body that it is required. */
function markOptionalBodies(paths: Paths): void {
  for (const { requestBody } of Object.values(paths).flatMap((path) => Object.values(path))) {
    const { anyOf } = requestBody?.content['application/json']?.schema ?? {};
    if (requestBody === undefined || !Array.isArray(anyOf)) continue;
    requestBody.required = !anyOf.some(({ type }: JsonSchema) => type === 'null');
  }
}

function packageVersion(): string {
  const source = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(source)).version;
}
