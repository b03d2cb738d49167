// @ts-check

/**
 * Of the session manager and what it is given.
 * @type {readonly import('./guard.mjs').Guard[]}
 */
export const managerGuards = [
  {
    name: 'the skipping of effects that are stored',
    file: 'lib/manager/turn.ts',
    guard:
      'if (this.#storedEffects.size > 0 && this.#storedEffects.has(nameOf(effect))) return false;',
    without: '',
    notices: 'law 6: after an error behind a checkpoint, the repeat stores only what is new',
  },
  {
    name: 'the effects of a checkpoint',
    file: 'lib/manager/turn.ts',
    guard: 'this.#parts.keyed ? this.#newEffects.map(nameOf) : []',
    without: '[]',
    notices: 'law 6: after an error behind a checkpoint, the repeat stores only what is new',
  },
  {
    name: 'the refusal in the events of a turn whose lease was granted',
    file: 'lib/manager/turn-events.ts',
    guard: 'if (!this.#isOver && this.#lost.ended !== null) throw this.#lost.ended.reason;',
    without: '',
    notices: 'strictly bound, it is refused, and nothing changes',
  },
  {
    name: 'the copy of what was handed in',
    file: 'lib/json/json-value.ts',
    guard: 'return copy(value, [what]);',
    without: 'copy(value, [what]); return value as JsonValue;',
    notices: 'law 8: what was handed out never changes, and what was handed in is copied',
  },
  {
    name: 'the refusal of nested turns',
    file: 'lib/manager/turn-context.ts',
    guard: 'if (turn.active && turn.store === store && turn.sessionId === sessionId) {',
    without: "if (turn.active && turn.store === store && sessionId === '') {",
    notices: 'a turn inside a turn on the same session is refused at once',
  },
  {
    name: 'the renewal of leases',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (store.locking && now >= this.#renewAt && !this.#renewing) void this.#renew(now);',
    without: 'void this.#renew;',
    notices: 'renewal keeps a long turn’s session, at a third of the lease',
  },
  {
    name: 'the maximum of a turn',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (now >= this.#stopAt) {',
    without: 'if (now < 0) {',
    notices: 'a turn over its maximum is stopped, and frees the session',
  },
  {
    name: 'the check of a turn’s client',
    file: 'lib/manager/turn-runner.ts',
    guard:
      'const clientChanges = access.checkClient(begun.session, begun.credentials, options.client);',
    without: 'const clientChanges: string[] = [];',
    notices: 'a client that does not match is reported, and told to the turn',
  },
  {
    name: 'the check of a repeated turn’s client',
    file: 'lib/manager/turn-runner.ts',
    guard:
      '      access.checkClient(begun.session, begun.credentials, options.client);\n      observer',
    without: '      observer',
    notices: 'strictly bound, it is refused, and nothing changes',
  },
  {
    name: 'the check of an authenticated client',
    file: 'lib/manager/session-manager.ts',
    guard:
      'this.#ofToken(token, expectedId);\n    this.#access.checkClient(session, credentials, client);',
    without: 'this.#ofToken(token, expectedId);\n    void credentials;',
    notices: 'a client that does not match is reported, and told to the turn',
  },
  {
    name: 'the refusal of a client that differs',
    file: 'lib/manager/access.ts',
    guard: 'if (strict) throw new FingerprintMismatchError(',
    without: 'if (strict === null) throw new FingerprintMismatchError(',
    notices: 'strictly bound, it is refused, and nothing changes',
  },
];
