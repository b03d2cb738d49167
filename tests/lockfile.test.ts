import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { readLockedPackages } from './helpers/repository.ts';

const OLDEST_NODE = '20.19.0';
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PSF-2.0',
]);

const locked = Object.entries(readLockedPackages()).filter(([place]) => place !== '');

/** Of several licenses (SPDX `A OR B`) one may be chosen. */
function isPermissive(license: string): boolean {
  const choices = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => PERMISSIVE.has(choice));
}

/** The places where Node looks for `name` from `place`, nearest first. */
function lookups(place: string, name: string): string[] {
  const folders = place.split('/node_modules/');
  return folders
    .map(
      (_, index) =>
        `${folders.slice(0, folders.length - index).join('/node_modules/')}/node_modules/${name}`,
    )
    .concat(`node_modules/${name}`);
}

describe('package-lock.json', () => {
  it('names no registry', () => {
    expect(locked.filter(([, { resolved }]) => resolved?.includes('://'))).toEqual([]);
  });

  it('locks every optional dependency, so that `npm ci` accepts it on every platform', () => {
    const places = new Set(locked.map(([place]) => place));
    const missing = locked.flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !lookups(place, name).some((candidate) => places.has(candidate)))
        .map((name) => `${name} of ${place}`),
    );
    expect(missing).toEqual([]);
  });

  it(`holds no package that refuses Node ${OLDEST_NODE}`, () => {
    const refusing = locked.filter(
      ([, { engines }]) =>
        engines !== undefined &&
        !Array.isArray(engines) &&
        engines.node !== undefined &&
        !semver.satisfies(OLDEST_NODE, engines.node),
    );
    expect(refusing.map(([place, { engines }]) => [place, engines])).toEqual([]);
  });

  it('ships permissive licenses only', () => {
    const shipped = locked.filter(([, { dev, link }]) => !dev && !link);
    const others = shipped.filter(([, { license = 'none' }]) => !isPermissive(license));
    expect(others.map(([place, { license }]) => [place, license])).toEqual([]);
  });
});
