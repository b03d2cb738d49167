import { expect, it } from 'vitest';
import type { RecordPlace } from '../codec/codec.ts';
import { recordText, sessionText } from './place.ts';

const place: RecordPlace = {
  sessionId: 'session-1',
  incarnation: 'incarnation-1',
  kind: 'state',
  position: 7,
};
const textOf = (keyId: string | null, namespace: string, at: RecordPlace) =>
  sessionText(keyId, namespace, at) + recordText(at);

it('a place has the text that records from before are bound to', () => {
  expect(textOf('0a1b2c3d', 'ns:', place)).toBe(
    '["holdfast record 1","0a1b2c3d","ns:","session-1","incarnation-1","state",7]',
  );
  const other = { ...place, position: 'turn "1"' };
  expect(textOf(null, 'ns:', other)).toBe(
    '["holdfast record 1",null,"ns:","session-1","incarnation-1","state","turn \\"1\\""]',
  );
});

it('no two places have the same text, whatever is in their parts', () => {
  const parts = ['', 'a', '"', '","', '\\', '\0', 'ü', '\ud800', '1'];
  const texts = new Set<string>();
  let places = 0;
  for (const namespace of parts) {
    for (const sessionId of parts) {
      for (const incarnation of parts) {
        for (const position of [...parts, 1]) {
          const at = { sessionId, incarnation, kind: 'outcome', position } as const;
          // As bytes: that is what is authenticated.
          texts.add(Buffer.from(textOf('0', namespace, at)).toString('latin1'));
          places += 1;
        }
      }
    }
  }
  expect(texts.size).toBe(places);
});
