import { expect, it } from 'vitest';
import { SharedChannel } from '../../../packages/holdfast/src/lib/redis/connection/nodes/shared-channel.ts';
import { StubConnection } from './stub-connection.ts';

const stub = () => new StubConnection(() => Promise.resolve(null));

it('SharedChannel asks for one thing at a time, and for the last wish in the end', async () => {
  const connection = stub();
  const channel = new SharedChannel('c');
  const listener = () => {};
  channel.listeners.add(listener);
  const settled = channel.settle(connection);
  channel.listeners.delete(listener);
  expect(channel.settle(connection)).toBe(settled);
  expect(connection.asked).toEqual(['subscribe c']);
  expect(channel.isUnused).toBe(false);
  connection.confirmations[0]?.();
  // Nobody wants it any more by the time it is confirmed.
  await new Promise((resolve) => setImmediate(resolve));
  expect(connection.asked).toEqual(['subscribe c', 'unsubscribe c']);
  connection.confirmations[1]?.();
  await settled;
  expect(channel.isOn(connection)).toBe(false);
  expect(channel.isUnused).toBe(true);
});

it('SharedChannel starts anew on another connection', async () => {
  const [first, second] = [stub(), stub()];
  const channel = new SharedChannel('c');
  channel.listeners.add(() => {});
  void channel.settle(first);
  const settled = channel.settle(second);
  second.confirmations[0]?.();
  await settled;
  expect(channel.isOn(second)).toBe(true);
  expect(second.asked).toEqual(['subscribe c']);
});
