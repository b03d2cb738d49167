import assert from 'node:assert/strict';
import type { Codec, RecordKind, RecordPlace } from '../codec/codec.ts';
import { DecryptionError } from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { type CipherName, type CodecOptions, createCodec } from './create-codec.ts';
import { KeyRing } from './key-ring.ts';
import { generateKey } from './parse-key.ts';

/** What the suite needs of a test runner. */
export interface CodecSuiteRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: ((name: string, body: () => void) => void) & {
    readonly skip: (name: string, body: () => void) => void;
  };
}

export interface CodecSuiteTarget {
  readonly cipher: CipherName;
  /** The parts of a record as bytes, in their order; one without a length takes what is left. */
  readonly fields: ReadonlyArray<readonly [name: string, bytes?: number]>;
  /** Cases that the cipher cannot pass, by name, with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

const secret = 'The planted text that no error may show.';
const value: JsonValue = { status: 'active', metadata: { note: secret, tags: ['ä', '💬', ''] } };
const place: RecordPlace = {
  sessionId: 'session-1',
  incarnation: 'incarnation-1',
  kind: 'state',
  position: 7,
};
const kinds: readonly RecordKind[] = [
  'state',
  'credentials',
  'messages',
  'outcome',
  'effects',
  'output',
];

/** What every codec that encrypts must hold, as cases. */
export function codecSuite(target: CodecSuiteTarget, { describe, it }: CodecSuiteRunner): void {
  const { cipher, fields, skip = {} } = target;
  const test = (name: string, body: () => void) => {
    const reason = skip[name];
    if (reason === undefined) it(name, body);
    else it.skip(`${name} (${reason})`, body);
  };
  const codecOf = (ring: KeyRing, options: Partial<CodecOptions> = {}) =>
    createCodec(ring, { cipher, namespace: 'agent:session:', ...options });
  const [oldKey, newKey] = [generateKey(), generateKey()];
  const ring = KeyRing.parse(oldKey);
  const codec = codecOf(ring);
  const stored = encoded(codec, value, place);

  describe(`the ${cipher} codec`, () => {
    test('gives back what it was given, at its place', () => {
      const values: JsonValue[] = [
        value,
        null,
        true,
        0,
        -1.5,
        '',
        secret,
        [],
        {},
        '\ud800',
        [[[]]],
      ];
      for (const kind of kinds) {
        for (const position of [0, 7, Number.MAX_SAFE_INTEGER, '', 'key "1"', '\0ü']) {
          for (const each of values) {
            const at = { sessionId: 'a', incarnation: 'b', kind, position };
            assert.deepEqual(codec.decode(encoded(codec, each, at), at), each);
          }
        }
      }
    });

    test('shows nothing of it, and is another each time', () => {
      const all = Array.from({ length: 50 }, () => encoded(codec, value, place));
      assert.equal(new Set(all.map((each) => each.toString('hex'))).size, 50);
      for (const each of all) {
        assert.equal(each.includes(secret.slice(0, 8)), false);
        assert.equal(each.includes(secret.slice(0, 8)), false);
        assert.equal(each.includes(place.sessionId), false);
      }
    });

    test('tamper: every byte of every field', () => {
      const bytes = stored;
      let at = 0;
      for (const [name, length = bytes.length - sum(fields)] of fields) {
        for (const end = at + length; at < end; at += 1) {
          for (const mask of [0x01, 0x80, 0xff]) {
            const changed = Buffer.from(bytes);
            changed[at] = (changed[at] ?? 0) ^ mask;
            refuses(codec, changed, place, `${name}, byte ${at} ^ ${mask}`);
          }
        }
      }
      assert.equal(at, bytes.length);
    });

    test('tamper: every byte in front', () => {
      for (let first = 0; first < 256; first += 1) {
        if (first === stored[0]) continue;
        const changed = Buffer.from(stored);
        changed[0] = first;
        refuses(codec, changed, place, `the first byte is ${first}`);
        refuses(codec, Buffer.from([first]), place, `nothing but ${first}`);
      }
    });

    test('swap: every part of its place', () => {
      const others: readonly Partial<Record<keyof RecordPlace, unknown>>[] = [
        { sessionId: 'session-2' },
        { incarnation: 'incarnation-2' },
        { sessionId: 'session-1incarnation', incarnation: '-1' },
        ...kinds.filter((kind) => kind !== 'state').map((kind) => ({ kind })),
        { position: 8 },
        { position: 70 },
        { position: '7' },
      ];
      for (const other of others) {
        const elsewhere = { ...place, ...other } as RecordPlace;
        refuses(codec, stored, elsewhere, JSON.stringify(other));
        const back = encoded(codec, value, elsewhere);
        refuses(codec, back, place, `from ${JSON.stringify(other)}`);
      }
      assert.deepEqual(codec.decode(stored, place), value);
    });

    test('swap: another namespace', () => {
      refuses(codecOf(ring, { namespace: 'agent:session' }), stored, place, 'a shorter one');
      refuses(codecOf(ring, { namespace: 'other:' }), stored, place, 'another one');
    });

    test('swap: a part of another record of the same place', () => {
      const [one, two] = [stored, encoded(codec, value, place)];
      let at = 0;
      for (const [name, length = one.length - sum(fields)] of fields) {
        const mixed = Buffer.from(one);
        two.copy(mixed, at, at, at + length);
        at += length;
        if (mixed.equals(one)) continue; // a version, say, that both have
        refuses(codec, mixed, place, name);
      }
    });

    test('truncate and extend, everywhere', () => {
      const bytes = stored;
      for (let length = 0; length < bytes.length; length += 1) {
        refuses(codec, bytes.subarray(0, length), place, `its first ${length} bytes`);
        refuses(codec, bytes.subarray(-length || bytes.length), place, 'its end');
      }
      for (let length = 0; length < stored.length; length += 1) {
        refuses(codec, stored.subarray(0, length), place, `${length} bytes as stored`);
      }
      for (let at = 0; at <= bytes.length; at += 1) {
        for (const more of [Buffer.alloc(1), Buffer.alloc(16, 1), bytes]) {
          const longer = Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
          refuses(codec, longer, place, `${more.length} more bytes at ${at}`);
        }
      }
    });

    test('short tags', () => {
      const bytes = stored;
      const [, tagBytes = 0] = fields.at(-1) ?? [];
      for (const length of [0, 4, 8, 12]) {
        const cut = bytes.subarray(0, bytes.length - tagBytes + length);
        refuses(codec, cut, place, `a tag of ${length} bytes`);
      }
    });

    test('an unknown key id is named', () => {
      const later = KeyRing.parse(newKey);
      const written = encoded(codecOf(later), value, place);
      const message = `key id ${later.primary.id} is not in the ring, which has ${ring.primary.id}`;
      assert.throws(() => codec.decode(written, place), new RegExp(message));
    });

    test('a key is known from when the ring has it, until it has it no more', () => {
      const written = encoded(codecOf(KeyRing.parse(newKey)), value, place);
      const running = KeyRing.parse(oldKey);
      const reader = codecOf(running);
      refuses(reader, written, place, 'a key that is not there yet');
      running.replace(`${oldKey},${newKey}`);
      assert.deepEqual(reader.decode(written, place), value);
      assert.deepEqual(reader.decode(stored, place), value);
      running.replace(newKey);
      assert.deepEqual(reader.decode(encoded(reader, value, place), place), value);
      refuses(reader, stored, place, 'a key that is gone');
    });

    test('wrong key', () => {
      refuses(codecOf(KeyRing.parse(newKey)), stored, place, 'another key');
    });

    test('wrong key, under the id of the right one', () => {
      const other = KeyRing.parse(newKey);
      const bytes = Buffer.from(stored);
      const keyIdAt = sum(
        fields.slice(
          0,
          fields.findIndex(([name]) => name === 'key id'),
        ),
      );
      bytes.write(other.primary.id, keyIdAt, 'hex');
      refuses(codecOf(other), bytes, place, 'another key');
      refuses(codecOf(KeyRing.parse(`${oldKey},${newKey}`)), bytes, place, 'both keys');
    });

    test('rotation: the old key, both, the new one', () => {
      const rings = [oldKey, `${oldKey},${newKey}`, `${newKey},${oldKey}`].map((text) =>
        KeyRing.parse(text),
      );
      const codecs = rings.map((each) => codecOf(each));
      const [old, both, turned] = codecs as [Codec, Codec, Codec];
      const byOld = [encoded(old, value, place), encoded(both, value, place)];
      const byNew = [encoded(turned, value, place)];
      for (const reader of [both, turned]) {
        for (const each of [...byOld, ...byNew])
          assert.deepEqual(reader.decode(each, place), value);
      }
      for (const each of byOld) assert.deepEqual(old.decode(each, place), value);
      for (const each of byNew) refuses(old, each, place, 'a key that comes later');
      const done = codecOf(KeyRing.parse(newKey));
      for (const each of byNew) assert.deepEqual(done.decode(each, place), value);
      for (const each of byOld) refuses(done, each, place, 'a key that is gone');
    });

    test('plain text is refused, unless it is allowed', () => {
      const allowing = codecOf(ring, { allowPlaintext: true });
      for (const each of [value, null, true, false, 0, -1, 12, '', 'gAAA', [], {}]) {
        const plain = Buffer.from(JSON.stringify(each));
        refuses(codec, plain, place, plain.toString());
        assert.throws(() => codec.decode(plain, place), /SESSION_ENCRYPTION_ALLOW_PLAINTEXT=true/);
        assert.deepEqual(allowing.decode(plain, place), each);
      }
      assert.deepEqual(allowing.decode(stored, place), value);
      refuses(allowing, Buffer.from(`{"note":"${secret}`), place, 'broken JSON');
      refuses(allowing, Buffer.from(` {}`), place, 'JSON that nobody writes');
      refuses(allowing, stored, { ...place, position: 8 }, 'a record from elsewhere');
    });

    test('the other cipher’s records are read', () => {
      for (const other of ['aes-256-gcm', 'fernet'] as const) {
        const before = codecOf(ring, { cipher: other });
        assert.deepEqual(codec.decode(encoded(before, value, place), place), value);
        refuses(codec, encoded(before, value, place), { ...place, position: 8 }, 'from elsewhere');
      }
    });

    test('what another key, cipher or form made is stale', () => {
      const turned = codecOf(KeyRing.parse(`${newKey},${oldKey}`));
      const plain = Buffer.from(JSON.stringify(value));
      assert.equal(codec.isStale(stored, place), false);
      assert.equal(turned.isStale(stored, place), true);
      assert.equal(turned.isStale(encoded(turned, value, place), place), false);
      assert.equal(codec.isStale(plain, place), true);
      for (const other of (['aes-256-gcm', 'fernet'] as const).filter((each) => each !== cipher)) {
        assert.equal(
          codec.isStale(encoded(codecOf(ring, { cipher: other }), value, place), place),
          true,
        );
      }
    });

    test('switched off, plain text is written and both are read', () => {
      const off = codecOf(ring, { cipher: 'none' });
      const plain = encoded(off, value, place);
      assert.equal(plain.toString(), JSON.stringify(value));
      assert.deepEqual(off.decode(plain, place), value);
      assert.deepEqual(off.decode(stored, place), value);
      refuses(off, stored, { ...place, position: 8 }, 'a record from elsewhere');
      assert.deepEqual([off.isStale(stored, place), off.isStale(plain, place)], [true, false]);
      assert.deepEqual([codec.authenticates, off.authenticates], [true, false]);
      assert.deepEqual(off.userNames('user-123'), ['user-123', ...codec.userNames('user-123')]);
    });

    test('__proto__ in stored JSON changes no prototype', () => {
      const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';
      const hostile = JSON.parse(text) as JsonValue;
      const decoded = codec.decode(encoded(codec, hostile, place), place);
      assert.equal(JSON.stringify(decoded), text);
      assert.equal(Object.getPrototypeOf(decoded), Object.prototype);
      assert.equal(({} as { admin?: boolean }).admin, undefined);
    });

    test('users’ names are hashed, under each key, and in each namespace otherwise', () => {
      const both = codecOf(KeyRing.parse(`${newKey},${oldKey}`));
      const [name] = codec.userNames('user-123');
      const names = both.userNames('user-123');
      assert.deepEqual(names, [codecOf(KeyRing.parse(newKey)).userNames('user-123')[0], name]);
      for (const each of names) assert.match(each, /^[A-Za-z0-9_-]{22,}$/);
      assert.deepEqual(codec.userNames('user-123'), [name]);
      assert.notEqual(codec.userNames('user-124')[0], name);
      assert.notEqual(codecOf(ring, { namespace: 'other:' }).userNames('user-123')[0], name);
      const allowing = codecOf(ring, { allowPlaintext: true });
      assert.deepEqual(allowing.userNames('user-123'), [name, 'user-123']);
    });

    test('digests are hashed for their place, under each key, and known plainly too', () => {
      const at = { sessionId: 'session-1', position: 'key-1' };
      const [keyed, ...others] = codec.digests('digest', at);
      assert.match(keyed, new RegExp(`^${ring.primary.id}\\.[A-Za-z0-9_-]{22,}$`));
      assert.deepEqual(others, ['digest']);
      const both = codecOf(KeyRing.parse(`${newKey},${oldKey}`));
      const [byNew] = codecOf(KeyRing.parse(newKey)).digests('digest', at);
      assert.deepEqual(both.digests('digest', at), [byNew, keyed, 'digest']);
      const off = codecOf(ring, { cipher: 'none' });
      assert.deepEqual(off.digests('digest', at), ['digest', keyed]);
      const elsewhere = [
        codec.digests('digest', { ...at, sessionId: 'session-2' }),
        codec.digests('digest', { ...at, position: 'key-2' }),
        codec.digests('other', at),
        codec.digests('', at),
        codecOf(ring, { namespace: 'other:' }).digests('digest', at),
      ].map(([first]) => first);
      assert.equal(new Set([keyed, ...elsewhere]).size, 6);
    });
  });
}

function encoded(codec: Codec, each: JsonValue, at: RecordPlace): Buffer {
  return Buffer.from(codec.encode(each, at));
}

/** With the one error, which shows neither key nor text, nor chains one that does. */
function refuses(codec: Codec, bytes: Buffer, at: RecordPlace, what: string): void {
  assert.throws(
    () => codec.decode(bytes, at),
    (error) => {
      assert.ok(error instanceof DecryptionError, `${what}: ${error}`);
      const shown = `${error.stack} ${error.cause}`;
      assert.equal(shown.includes(secret.slice(0, 8)), false, what);
      return true;
    },
    what,
  );
}

function sum(fields: CodecSuiteTarget['fields']): number {
  return fields.reduce((total, [, bytes = 0]) => total + bytes, 0);
}
