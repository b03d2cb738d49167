import type { z } from 'zod';
import { problemAnswer } from './answers.ts';

/** What routes are about, in the document's order. */
export const tags = ['Sessions', 'Messages', 'Knowledge', 'Operators', 'Health'] as const;

/** Who may use a route. */
const callers = {
  anybody: [],
  session: [{ sessionToken: [] }, { sessionCookie: [] }, { operatorKey: [] }],
  operators: [{ operatorKey: [] }],
} satisfies Record<string, Record<string, string[]>[]>;

/** What a route takes. */
interface Parts {
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
}

export interface Operation extends Parts {
  /** In the document, and unique there. */
  readonly id: string;
  readonly tag: (typeof tags)[number];
  readonly by: keyof typeof callers;
  readonly summary: string;
  readonly description?: string;
  /** By status. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** The content types of its answers; JSON unless given. */
  readonly produces?: readonly string[];
}

/** A route's schema: what validates its requests, and what `/docs` says of it. */
export function operation<Route extends Operation>(
  route: Route,
): Pick<Route, Extract<keyof Route, keyof Parts>>;
export function operation({ id, tag, by, answers, ...rest }: Operation) {
  return {
    ...rest,
    operationId: id,
    tags: [tag],
    security: callers[by],
    response: { ...answers, default: problemAnswer },
  };
}
