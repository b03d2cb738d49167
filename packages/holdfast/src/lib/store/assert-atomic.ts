import { ValidationError } from '../errors/errors.ts';

/** An update is always atomic: who asks for another kind is told, and not given this one. */
export function assertAtomic(options: object): void {
  if ('atomic' in options && options.atomic !== true) {
    throw new ValidationError('update is always atomic; leave atomic: false out.');
  }
}
