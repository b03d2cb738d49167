// @ts-check

/** The library's sources. */
export const library = 'packages/holdfast/src';

/**
 * @typedef {object} Guard
 * @property {string} name
 * @property {string} file below the library's src
 * @property {string} guard what is taken out: stands exactly once in the file
 * @property {string} without what is put in its place
 * @property {string} [test] default: the contract suite, in memory
 * @property {string} notices the case that must go red
 */
