import { describe, expect, it } from 'vitest';
import { nameOf, parsePlace } from './place.ts';

describe('a place', () => {
  it.each([
    ['one.example:6379', { host: 'one.example', port: 6379 }],
    ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('is read: %s', (text, place) => {
    expect(parsePlace(text)).toEqual(place);
    expect(nameOf(place)).toBe(text);
  });

  it.each([
    '',
    'one',
    'one:',
    ':6379',
    'one:0',
    'one:65536',
    '::1:6379',
    'redis://one:6379',
    'u@one:1',
  ])('is not: %j', (text) => {
    expect(parsePlace(text)).toBeNull();
  });
});
