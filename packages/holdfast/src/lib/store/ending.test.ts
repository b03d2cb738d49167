import { expect, it } from 'vitest';
import { Ending } from './ending.ts';

it('tells each once, the reason being the first one', () => {
  const ending = new Ending<string>();
  const told: string[] = [];
  const tell = () => told.push(String(ending.ended?.reason));
  ending.onEnd(tell);
  ending.onEnd(tell);
  expect(ending.ended).toBeNull();
  ending.end('first');
  ending.end('second');
  expect(told).toEqual(['first', 'first']);
  expect(ending.ended).toEqual({ reason: 'first' });
});

it('tells at once who comes late', () => {
  const ending = new Ending();
  ending.end(undefined);
  let told = 0;
  ending.onEnd(() => (told += 1))();
  expect(told).toBe(1);
});

it('tells nobody who does not listen any more, whoever else gave the same function', () => {
  const ending = new Ending();
  let told = 0;
  const tell = () => (told += 1);
  const unlisten = ending.onEnd(tell);
  ending.onEnd(tell);
  unlisten();
  unlisten();
  ending.end(undefined);
  expect(told).toBe(1);
});
