import { describe, expect, it } from 'vitest';
import { EventReader } from '../testing/event-reader.ts';
import { expectProblem, startTestApp } from '../testing/test-app.ts';

const json = { 'content-type': 'application/json' };

describe('bad messages', () => {
  it.each([
    ['an empty message', '{"message":""}', 400, 'VALIDATION'],
    ['a message of spaces', '{"message":" \\n\\t "}', 400, 'VALIDATION'],
    ['a message over 16 KB', JSON.stringify({ message: 'x'.repeat(16_385) }), 400, 'VALIDATION'],
    ['one over 16 KB in UTF-8', JSON.stringify({ message: '€'.repeat(5_462) }), 400, 'VALIDATION'],
    [
      '10,000 combining marks',
      JSON.stringify({ message: `e${'\u0301'.repeat(10_000)}` }),
      400,
      'VALIDATION',
    ],
    ['a message of the wrong type', '{"message":42}', 400, 'VALIDATION'],
    ['a message that is null', '{"message":null}', 400, 'VALIDATION'],
    ['no message', '{}', 400, 'VALIDATION'],
    ['an unknown field', '{"message":"Hi","role":"system"}', 400, 'VALIDATION'],
    ['an array', '["Hi"]', 400, 'VALIDATION'],
    ['a string', '"Hi"', 400, 'VALIDATION'],
    ['malformed JSON', '{"message":', 400, 'MALFORMED_JSON'],
    ['an empty body', '', 400, 'MALFORMED_JSON'],
    ['__proto__', '{"message":"Hi","__proto__":{"a":1}}', 400, 'MALFORMED_JSON'],
    [
      'a body over the limit',
      JSON.stringify({ message: 'x'.repeat(1_200_000) }),
      413,
      'BODY_TOO_LARGE',
    ],
  ])('refuses %s and stores nothing', async (_, payload, status, code) => {
    const { open, request, transcript, stored } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: { ...session.auth, ...json },
      payload,
    });
    expectProblem(response, status, code);
    expect(await transcript(session)).toEqual([]);
    expect(await stored(session)).toMatchObject({ messageCount: 0, version: 1 });
  });

  it.each([
    ['attachments', '{"message":"Hi","attachments":[{"name":"a.txt"}]}'],
    ['attachments that are no list', '{"message":"Hi","attachments":"a.txt"}'],
  ])('refuses %s, and says so', async (_, payload) => {
    const { open, request, transcript } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: { ...session.auth, ...json },
      payload,
    });
    expectProblem(response, 400, 'VALIDATION');
    expect(response.json().detail).toContain('attachments');
    expect(await transcript(session)).toEqual([]);
  });

  it('takes an empty list of attachments', async () => {
    const { open, request } = await startTestApp();
    const { url, auth } = await open();
    const payload = { message: 'Hi', attachments: [] };
    const response = await request('POST', `${url}/messages`, { headers: auth, payload });
    expect(response.statusCode).toBe(200);
  });

  it.each([
    ['spaces of other scripts', '\u00a0\u2003\u3000\ufeff'],
    ['characters that nobody sees', '\u200b\u200d\u2060\u202e'],
    ['letters that nobody sees', '\u3164\u115f\uffa0'],
    ['dots of Braille that are not there', '\u2800 \u2800'],
    ['what goes with a character before it', '\ufe0f\u034f\u{e0100}'],
  ])('refuses a message of nothing but %s', async (_, message) => {
    const { open, say, transcript } = await startTestApp();
    const session = await open();
    expectProblem(await say(session, message), 400, 'VALIDATION');
    expect(await transcript(session)).toEqual([]);
  });

  it.each([
    ['emoji', '🧗‍♀️🏔️ 👩🏽‍🚒 🇬🇧❓'],
    ['a lone surrogate', 'Where is my \ud83e parcel?'],
    ['right to left', 'מתי מגיע ההחזר? متى يصل المبلغ؟'],
    ['a heart and a letter of Hangul, with what nobody sees', '\u200f❤️\u200d🔥 \u3164ㄱ'],
    ['both ways, with marks', 'Order \u202eABC\u202c \u2067שלום\u2069'],
    ['8,000 combining marks', `e${'\u0301'.repeat(8_000)}`],
    ['zero characters and escapes', 'a\u0000b\u001b[31mc\r\nd\u2028e'],
    ['markup and formulas', '<script>alert(1)</script> =1+1 {{y}} %s \\'],
  ])('stores and answers %s as it came', async (_, message) => {
    const { open, request, listen } = await startTestApp();
    const { url, auth } = await open();
    const events = await EventReader.open(`${await listen()}${url}/messages`, {
      headers: auth,
      body: { message },
    });
    expect((await events.all()).at(-1)?.event).toBe('reply');
    const page = await request('GET', `${url}/messages`, { headers: auth });
    expect(page.json().messages[0]).toMatchObject({ role: 'user', content: { text: message } });
  });

  it('takes a message of exactly 16 KB', async () => {
    const { open, say } = await startTestApp();
    expect((await say(await open(), 'x'.repeat(16_384))).statusCode).toBe(200);
  });

  it('refuses a compressed body', async () => {
    const { open, request, transcript } = await startTestApp();
    const session = await open();
    const send = (coding: string) =>
      request('POST', `${session.url}/messages`, {
        headers: { ...session.auth, 'content-encoding': coding },
        payload: { message: 'Hi' },
      });
    for (const coding of ['gzip', 'br', 'GZIP, identity']) {
      expectProblem(await send(coding), 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
    expect(await transcript(session)).toEqual([]);
    expect((await send('identity')).statusCode).toBe(200);
  });

  it.each([
    ['a byte that is none', [0xff]],
    ['a character that is cut off', [0xe2, 0x82]],
    ['one that is longer than it need be', [0xc0, 0xaf]],
    ['half of a surrogate pair', [0xed, 0xa0, 0xbe]],
  ])('refuses a body that is not UTF-8: %s', async (_, bytes) => {
    const { open, request, transcript } = await startTestApp();
    const session = await open();
    const send = (middle: readonly number[]) =>
      request('POST', `${session.url}/messages`, {
        headers: { ...session.auth, ...json },
        payload: Buffer.concat([
          Buffer.from('{"message":"Hi '),
          Buffer.from(middle),
          Buffer.from('"}'),
        ]),
      });
    const response = await send(bytes);
    expectProblem(response, 400, 'MALFORMED_JSON');
    expect(response.json().detail).toContain('UTF-8');
    expect(await transcript(session)).toEqual([]);
    expect((await send([0xe2, 0x82, 0xac])).statusCode).toBe(200);
    expect((await transcript(session))[0]).toEqual(['user', 'Hi €']);
  });

  it.each([
    'application/json; charset=utf-16',
    'application/json;charset="ISO-8859-1"',
    'Application/JSON; Charset = UTF-16LE',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; profile=x; charset=windows-1252',
    "application/json; charset='utf-8'",
    'application/json; charset=',
  ])('refuses %s', async (type) => {
    const { open, request, transcript } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: { ...session.auth, 'content-type': type },
      payload: '{"message":"Hi"}',
    });
    expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE');
    expect(await transcript(session)).toEqual([]);
  });

  it.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=utf8',
    'application/json; charset=US-ASCII',
    'application/json; profile="charset=utf-16"',
    'application/json; xcharset=utf-16',
  ])('takes %s', async (type) => {
    const { open, request } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: { ...session.auth, 'content-type': type },
      payload: '{"message":"Hi"}',
    });
    expect(response.statusCode).toBe(200);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ])('refuses the content type %s', async (type) => {
    const { open, request, transcript } = await startTestApp();
    const session = await open();
    const response = await request('POST', `${session.url}/messages`, {
      headers: { ...session.auth, 'content-type': type },
      payload: '{"message":"Hi"}',
    });
    expectProblem(response, 415, 'UNSUPPORTED_MEDIA_TYPE');
    expect(await transcript(session)).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['too long', 'k'.repeat(256)],
    ['with a space', 'a b'],
    ['not ASCII', 'clé'],
  ])('refuses an Idempotency-Key that is %s', async (_, key) => {
    const { open, say, transcript } = await startTestApp();
    const session = await open();
    expectProblem(await say(session, 'Hi', { 'idempotency-key': key }), 400, 'VALIDATION');
    expect(await transcript(session)).toEqual([]);
  });
});

describe('bad sessions', () => {
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

  it.each([
    ['metadata with __proto__', '{"metadata":{"__proto__":{"admin":true}}}', 400, 'MALFORMED_JSON'],
    [
      'metadata with __proto__ inside',
      '{"metadata":{"a":{"\\u005f_proto__":1}}}',
      400,
      'MALFORMED_JSON',
    ],
    ['metadata with constructor', '{"metadata":{"constructor":1}}', 400, 'VALIDATION'],
    [
      'metadata with constructor.prototype',
      '{"metadata":{"constructor":{"prototype":{}}}}',
      400,
      'MALFORMED_JSON',
    ],
    [
      'metadata over 1 MB',
      JSON.stringify({ metadata: { a: 'x'.repeat(1024 * 1024) } }),
      400,
      'VALIDATION',
    ],
    ['metadata nested without end', `{"metadata":{"a":${nested}}}`, 400, 'VALIDATION'],
    ['metadata that is an array', '{"metadata":[]}', 400, 'VALIDATION'],
    ['metadata that is null', '{"metadata":null}', 400, 'VALIDATION'],
    ['a user id of the wrong type', '{"user_id":7}', 400, 'VALIDATION'],
    ['a bad user id', '{"user_id":"a b"}', 400, 'VALIDATION'],
    ['a session id: the server issues them', '{"session_id":"mine"}', 400, 'VALIDATION'],
    ['an array', '[]', 400, 'VALIDATION'],
    ['malformed JSON', '{', 400, 'MALFORMED_JSON'],
    [
      'a body over the limit',
      JSON.stringify({ metadata: { a: 'x'.repeat(1_200_000) } }),
      413,
      'BODY_TOO_LARGE',
    ],
  ])('refuses %s and creates none', async (_, payload, status, code) => {
    const { request, sessions } = await startTestApp();
    const response = await request('POST', '/api/sessions', { headers: json, payload });
    expectProblem(response, status, code);
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(await sessions.store.countActive()).toBe(0);
  });

  it.each(['a%20b', 'a%2Fb', '%00', '%F0%9F%A5%BE', 'x'.repeat(256), 'x'.repeat(9_000)])(
    'refuses the id %s',
    async (id) => {
      const { request } = await startTestApp();
      expectProblem(await request('GET', `/api/sessions/${id}`), 400, 'VALIDATION');
    },
  );

  it('refuses an address that is no URL', async () => {
    const { request } = await startTestApp();
    expectProblem(await request('GET', '/api/sessions/%zz'), 400, 'BAD_REQUEST');
  });
});

describe('bad addresses', () => {
  it.each([
    ['GET', '/api/nothing'],
    ['PUT', '/api/sessions/x'],
    ['POST', '/'],
    ['GET', '/api/users/x'],
  ] as const)('knows no %s %s', async (method, url) => {
    const { request } = await startTestApp();
    expectProblem(await request(method, url), 404, 'ROUTE_NOT_FOUND');
  });
});
