import { ValidationError } from '../errors/errors.ts';

/** `atomic: false` was an option of an older interface: an update is always atomic. */
export function assertAtomic(options: object): void {
  if ('atomic' in options && options.atomic !== true) {
    throw new ValidationError('update is always atomic; leave atomic: false out.');
  }
}
