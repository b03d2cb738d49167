import type {
  FastifySchemaCompiler,
  FastifySerializerCompiler,
  FastifyTypeProvider,
} from 'fastify';
import { ValidationError } from 'holdfast';
import type { z } from 'zod';

/** Route schemas are zod schemas; what a handler gets is their output. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

export const zodValidator: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data) => {
    // Told how to word errors, zod takes ten times as long: it is told when there are some.
    const parsed = schema.safeParse(data);
    if (parsed.success) {
      if (httpPart !== 'headers') return { value: parsed.data };
      // In place: given others, Fastify would copy all headers each time one of them is read.
      Object.assign(data, parsed.data);
      return true;
    }
    const { error } = schema.safeParse(data, { error: wording });
    const problems = (error ?? parsed.error).issues.map(({ path, message }) => {
      const name = path.length > 0 ? path.join('.') : `The ${httpPart ?? 'request'}`;
      return `${name} ${message}`;
    });
    return { error: new ValidationError(`${problems.join('; ')}.`) };
  };

/** What is answered is JSON as the handler made it. */
export const plainSerializer: FastifySerializerCompiler<z.ZodType> = () => JSON.stringify;

/** Refuses an answer that its route does not tell of: a defect, or a page in `/docs` that lies. */
export const checkingSerializer: FastifySerializerCompiler<z.ZodType> =
  ({ schema }) =>
  (answer) =>
    JSON.stringify(schema.parse(answer));

const kinds: Readonly<Record<string, string>> = { object: 'a JSON object', array: 'an array' };

/** What follows the name of the value. It never repeats the value itself: that is the customer's. */
function wording(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${kinds[issue.expected] ?? `a ${issue.expected}`}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys
        .slice(0, 5)
        .map((key) => key.slice(0, 40))
        .join(', ')}`;
    default:
      return issue.message ?? 'is not valid';
  }
}
