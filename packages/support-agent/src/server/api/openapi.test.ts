import { describe, expect, it } from 'vitest';
import { startTestApp } from '../../testing/test-app.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Record<string, unknown>[];
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  readonly responses: Record<string, { description: string; content?: Record<string, object> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { title: string; version: string; description: string };
  readonly tags: readonly { name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    schemas: Record<string, object>;
    securitySchemes: Record<string, object>;
  };
}

async function read() {
  const { request } = await startTestApp();
  const response = await request('GET', '/docs/json');
  expect(response.statusCode).toBe(200);
  const document = response.json<Document>();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
  return { document, operations };
}

/** Every value of a field of this name, at whatever depth. */
function valuesOf(name: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === name ? [inner] : []),
    ...valuesOf(name, inner),
  ]);
}

describe('/docs/json', () => {
  it('has every route, and who may use it', async () => {
    const { operations } = await read();
    const by = (scheme: string) =>
      operations.flatMap(({ route, operation }) =>
        (scheme === 'none' && operation.security.length === 0) ||
        (operation.security.length > 0 && scheme in (operation.security[0] ?? {}))
          ? [route]
          : [],
      );
    expect(by('sessionToken').sort()).toEqual([
      'DELETE /api/sessions/{id}',
      'DELETE /api/sessions/{id}/others',
      'GET /api/sessions/{id}',
      'GET /api/sessions/{id}/messages',
      'GET /api/sessions/{id}/others',
      'GET /api/sessions/{id}/stream',
      'PATCH /api/sessions/{id}/status',
      'POST /api/sessions/{id}/messages',
      'POST /api/sessions/{id}/token',
    ]);
    expect(by('operatorKey').sort()).toEqual([
      'DELETE /api/sessions',
      'DELETE /api/users/{id}/sessions',
      'GET /api/sessions',
      'GET /api/stats',
      'GET /api/users/{id}/sessions',
      'GET /metrics',
      'POST /api/sessions/cleanup',
      'POST /api/sessions/{id}/operator-messages',
    ]);
    expect(by('none').sort()).toEqual([
      'GET /health',
      'GET /health/live',
      'GET /health/ready',
      'POST /api/search',
      'POST /api/sessions',
    ]);
  });

  it('is a document as OpenAPI 3.1 has it', async () => {
    const { document, operations } = await read();
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toEqual({
      title: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      description: expect.any(String),
    });
    const tags = document.tags.map(({ name }) => name);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      expect(operation.summary).toMatch(/^\S/);
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]));
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      for (const { required } of inPath) expect(required).toBe(true);
      expect(Object.keys(operation.responses).length).toBeGreaterThanOrEqual(2);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description).not.toBe('');
        if (status !== '204') expect(Object.keys(response.content ?? {})).not.toEqual([]);
      }
      expect(operation.responses.default?.content).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
    }
    const references = valuesOf('$ref', document);
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(String(reference)) ?? [];
      expect(document.components.schemas).toHaveProperty(name);
    }
    const schemes = operations.flatMap(({ operation }) => operation.security.flatMap(Object.keys));
    for (const scheme of schemes)
      expect(document.components.securitySchemes).toHaveProperty(scheme);
    // What belongs to JSON Schema documents of their own, or to how zod says things.
    expect([...valuesOf('$schema', document), ...valuesOf('$id', document)]).toEqual([]);
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('says of bodies what they are and whether they may be left out', async () => {
    const { document } = await read();
    const bodyOf = (path: string) => document.paths[path]?.post?.requestBody;
    expect(bodyOf('/api/sessions')?.required).toBe(false);
    const say = bodyOf('/api/sessions/{id}/messages');
    expect(say?.required).toBe(true);
    expect(say?.content['application/json']?.schema).toMatchObject({
      type: 'object',
      required: ['message'],
      additionalProperties: false,
      properties: { message: { type: 'string' } },
    });
    expect(document.components.schemas.Session).toMatchObject({
      required: expect.arrayContaining(['session_id', 'expires_at']),
      properties: { status: { enum: ['active', 'handed_over', 'closed'] } },
    });
    expect(document.paths['/api/sessions']?.get?.parameters).toContainEqual(
      expect.objectContaining({
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 200 },
      }),
    );
  });
});

describe('/docs', () => {
  it.each(['/docs', '/docs/'])(
    '%s loads nothing from elsewhere and runs nothing inline',
    async (url) => {
      const { request } = await startTestApp();
      const page = await request('GET', url);
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      const policy = String(page.headers['content-security-policy']).split(';').sort();
      expect(policy).toEqual([
        "base-uri 'none'",
        "default-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "object-src 'none'",
      ]);
      expect(page.body).not.toMatch(/https?:|<style| style=| on\w+=/);
      const scripts = [...page.body.matchAll(/<script([^>]*)>([^<]*)/g)];
      const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
        ([, link]) => link ?? '',
      );
      expect(links.length).toBeGreaterThan(scripts.length);
      for (const [, attributes, inline] of scripts) {
        expect([attributes, inline?.trim()]).toEqual([expect.stringContaining('src='), '']);
      }
      for (const link of links) {
        const asset = await request('GET', new URL(link, 'http://localhost/docs/').pathname);
        expect([link, asset.statusCode]).toEqual([link, 200]);
      }
    },
  );

  it('leaves the policy of other pages as strict as it is', async () => {
    const { request } = await startTestApp();
    const { headers } = await request('GET', '/health');
    expect(headers['content-security-policy']).not.toContain('img-src');
  });
});
