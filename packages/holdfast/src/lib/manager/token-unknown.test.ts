import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidTokenError, OutcomeUnknownError, VersionConflictError } from '../errors/errors.ts';
import { createTestSessions } from '../testing/create-test-sessions.ts';
import { Faults } from '../testing/faults.ts';

function setUp() {
  const faults = new Faults();
  const sessions = createTestSessions({ faults });
  onTestFinished(() => sessions.close());
  return { faults, sessions };
}

const unknown = (call: Promise<unknown>): Promise<OutcomeUnknownError> =>
  call.then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      return error as OutcomeUnknownError;
    },
  );

describe('a new token whose reply was lost', () => {
  it('is handed out when the repetition tells that it was written', async () => {
    const { faults, sessions } = setUp();
    faults.fail('create', { when: 'after' });
    const { session, token } = await sessions.create();
    expect(await sessions.authenticate(token)).toEqual(session);
    faults.fail('setCredentials', { when: 'after' });
    const rotated = await sessions.rotateToken(session.id, undefined, token);
    expect(rotated.session.version).toBe(session.version + 1);
    expect(await sessions.authenticate(rotated.token)).toEqual(rotated.session);
  });

  it('of a session without a name: another one can be created', async () => {
    const { faults, sessions } = setUp();
    faults.fail('create', { when: 'after', times: 2 });
    const error = await unknown(sessions.create());
    expect(error.message).toContain(error.remedy);
    expect(error.remedy).toMatch(/^Create another one/);
    const { session } = await sessions.create();
    expect(await sessions.store.countActive()).toBe(2);
    const [id = ''] = /(?<=session )\S+/.exec(error.message) ?? [];
    expect(await sessions.revoke(id)).toBe(true);
    expect(await sessions.store.exists(session.id)).toBe(true);
  });

  it('of a session with a name: it is there, and is given another one', async () => {
    const { faults, sessions } = setUp();
    faults.fail('create', { when: 'after', times: 2 });
    const { remedy } = await unknown(sessions.create({ sessionId: 's' }));
    expect(remedy).toMatch(/^Create it again.*rotateToken/);
    await expect(sessions.create({ sessionId: 's' })).rejects.toThrow(VersionConflictError);
    const { token } = await sessions.rotateToken('s');
    expect(await sessions.authenticate(token)).toMatchObject({ id: 's' });
  });

  it('for an old one: that is void, and the session is given another one without it', async () => {
    const { faults, sessions } = setUp();
    const { session, token } = await sessions.create();
    faults.fail('setCredentials', { when: 'after', times: 2 });
    const { remedy } = await unknown(sessions.rotateToken(session.id, undefined, token));
    expect(remedy).toMatch(/^Rotate it again.*without it/);
    const again = sessions.rotateToken(session.id, undefined, token);
    await expect(again).rejects.toThrow(InvalidTokenError);
    const rotated = await sessions.rotateToken(session.id);
    expect(await sessions.authenticate(rotated.token)).toEqual(rotated.session);
  });
});
