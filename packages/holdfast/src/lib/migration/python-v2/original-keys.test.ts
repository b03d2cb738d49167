import { describe, expect, it } from 'vitest';
import { OriginalKeys } from './original-keys.ts';

// Made by Python's cryptography 38, at 2023-11-14 with the IV 00 01 … 0f.
const byKey =
  'Z0FBQUFBQmxVX0VBQUFFQ0F3UUZCZ2NJQ1FvTERBME9Ed1dGWGs2clR5TXJYQ1NXZUY2R3FodmJaVWluQjFWRkVnMGxqci1XUGpNenNjXzVaR2JzOUU0ZHJVM3daelg2Tnc9PQ==';
const byPassword =
  'Z0FBQUFBQmxVX0VBQUFFQ0F3UUZCZ2NJQ1FvTERBME9EOEF2a0lKR2d5MXNwZG82NndFa0JYR0gzRjZ0TG1DX1l5ZHNrbFBkT1VodzJZOVRvMkhRcVVQci1OS3d5Vy1PdEE9PQ==';
const byHex =
  'Z0FBQUFBQmxVX0VBQUFFQ0F3UUZCZ2NJQ1FvTERBME9EOEhSRms3RkhfVmh5Mjdxd3NWMHR1SG1jUDZQbEpHS0ExaGpZeWltRm1waG13ZU45cF9YQXFRc2p4alhpb0dZWFE9PQ==';
const key = 'yMnKy8zNzs_Q0dLT1NXW19jZ2tvc3d7f4OHi4-Tl5uc=';
const password = 'pässword, with commas';

describe('keys of Python v2.0', () => {
  it.each([
    ['a Fernet key', key, byKey, '{"a": 1}'],
    [
      'the same in standard base64, which Python took too',
      key.replace('_', '/').replace('-', '+'),
      byKey,
      '{"a": 1}',
    ],
    ['a password', password, byPassword, '{"a": "é"}'],
    ['64 hex digits, which Python took for a password', '00'.repeat(32), byHex, '{"hex": 1}'],
  ])('open what was encrypted with %s', async (_, text, value, plain) => {
    expect((await OriginalKeys.of([text])).open(value)).toBe(plain);
    expect((await OriginalKeys.of(['another', text])).open(value)).toBe(plain);
  });

  it('refuse what is of another key, changed, or no token', async () => {
    const keys = await OriginalKeys.of([key]);
    expect(() => keys.open(byPassword)).toThrow(
      'another key than the one given, or changed: give the key that Python had in PYTHON_V2_ENCRYPTION_KEY',
    );
    const changed = `${byKey.slice(0, 60)}${byKey[60] === 'A' ? 'B' : 'A'}${byKey.slice(61)}`;
    expect(() => keys.open(changed)).toThrow(/another key|neither/);
    for (const value of ['', 'x', '[]', Buffer.from('gAAAAA').toString('base64')]) {
      expect(() => keys.open(value)).toThrow('neither a JSON object nor an encrypted one');
    }
  });

  it('say what to give, when there is none', async () => {
    const keys = await OriginalKeys.of([]);
    expect(() => keys.open(byKey)).toThrow('PYTHON_V2_ENCRYPTION_KEY or --old-key-file');
    expect(() => keys.open('noise')).toThrow('neither a JSON object nor an encrypted one');
  });
});
