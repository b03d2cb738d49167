import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../errors/http-problem.ts';

/**
 * Refuses a body that would be read as what it is not: one that is compressed (RFC 9110, section 8.4), or JSON
 * in another encoding than UTF-8 (RFC 8259, section 8.1), whether it says so or not.
 */
export function requirePlainBodies(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    const coding = headers['content-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      throw new HttpProblem(
        'UNSUPPORTED_MEDIA_TYPE',
        'The body must not be compressed: send it as it is, without Content-Encoding.',
      );
    }
    const type = headers['content-type'];
    if (type !== undefined && type !== 'application/json' && !charsetsOf(type).every(isOfUtf8)) {
      throw new HttpProblem(
        'UNSUPPORTED_MEDIA_TYPE',
        'The body must be in UTF-8: send it so, with Content-Type: application/json and no other charset.',
      );
    }
    done();
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (isUtf8(body)) return parseJson(request, body.toString(), done);
      done(new HttpProblem('MALFORMED_JSON', 'The body is not valid UTF-8, which JSON must be.'));
    },
  );
}

const isOfUtf8 = (charset: string) => utf8Charsets.has(charset.toLowerCase());

/** Whose bytes are UTF-8. */
const utf8Charsets: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

const parameter = /;\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/g;

/** All that a content type names, though it should name one at most (RFC 9110, section 8.3). */
function charsetsOf(type: string): string[] {
  return [...type.matchAll(parameter)]
    .filter(([, name]) => name?.toLowerCase() === 'charset')
    .map(([, , value = '']) => value.trim().replace(/^"(.*)"$/, '$1'));
}
