import UserAgent from 'user-agents';
import { expect, it } from 'vitest';
import { normalizeUserAgent, readUserAgent } from './user-agent.ts';

/** What visitors of real sites sent, with the kind of device that they were on. */
function recorded(): ReadonlyMap<string, string> {
  const visitors = new Map<string, string>();
  // The filter is asked about each of them.
  new UserAgent(({ userAgent, ...more }) => {
    const { deviceCategory } = more as { readonly deviceCategory?: string }; // its types leave it out
    visitors.set(userAgent, deviceCategory ?? '');
    return true;
  });
  return visitors;
}

const read = (text: string) => readUserAgent(normalizeUserAgent(text));

it('the User-Agents of recorded visitors tell browser, system and kind of device', () => {
  const visitors = recorded();
  expect(visitors.size).toBeGreaterThanOrEqual(60);
  const systems = new Set<string>();
  for (const [text, device] of visitors) {
    const features = read(text);
    expect(features.device, text).toBe(device);
    expect(features.browser, text).toMatch(/^[a-z]/);
    systems.add(features.os);
  }
  const known = ['android', 'chrome os', 'ios', 'linux', 'macos', 'windows'];
  expect([...systems].filter((os) => !known.includes(os))).toEqual([]);
});

it('a recorded visitor whose browser was updated is the same one', () => {
  for (const text of recorded().keys()) {
    const updated = text.replace(
      /(Chrome|CriOS|Firefox|FxiOS|Edg|OPR|Version)\/(\d+)/g,
      (_, name, version) => `${name}/${Number(version) + 1}`,
    );
    expect(read(updated), text).toEqual(read(text));
  }
});
