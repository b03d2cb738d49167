import Bowser from 'bowser';

/** What a User-Agent says of a client, without versions. */
export interface UserAgentFeatures {
  readonly browser: string;
  readonly os: string;
  readonly device: string;
}

/** Longer ones are cut: real ones have 60 to 400 characters. */
const maxLength = 1024;

/** Of a client that sends no User-Agent; no other one has these. */
const absent: UserAgentFeatures = { browser: '', os: '', device: '' };

/**
 * The User-Agent as it is compared: surrounding and repeated white space means nothing, and what
 * comes after 1,024 characters is cut off. Empty for an absent one.
 */
export function normalizeUserAgent(userAgent: string | undefined): string {
  const text = userAgent?.trim().replace(/\s{2,}|[^\S ]/g, ' ') ?? '';
  // A copy, since a mere slice would keep all of the header in memory.
  return text.length > maxLength ? Buffer.from(text.slice(0, maxLength)).toString() : text;
}

/** @param userAgent a normalized one. */
export function readUserAgent(userAgent: string): UserAgentFeatures {
  if (userAgent === '') return absent;
  // It parses what it is asked for, and not the engine.
  const parser = Bowser.getParser(userAgent, true);
  const os = parser.getOSName() || firstIn(otherSystems, userAgent) || 'unknown';
  const device = firstIn(otherDevices, userAgent) || parser.getPlatformType() || deviceOf(os);
  return { browser: browserOf(userAgent, parser).toLowerCase(), os: os.toLowerCase(), device };
}

/** Pages in apps: they share neither cookies nor storage with the browser whose engine they use. */
const apps: Names = [
  ['facebook', /\bFB(?:AN|AV|_IAB)\//],
  ['instagram', /\bInstagram /],
  ['line', /\bLine\//],
  ['linkedin', /\bLinkedInApp\b/],
  ['pinterest', /\[Pinterest\//],
  ['snapchat', /\bSnapchat\b/],
  ['tiktok', /\b(?:musical_ly|BytedanceWebview|TikTok)/],
];

/** Systems, and below devices, that the parser does not know. */
const otherSystems: Names = [
  ['freebsd', /freebsd/i],
  ['openbsd', /openbsd/i],
  ['netbsd', /netbsd/i],
  ['kaios', /kaios/i],
  ['playstation', /playstation/i],
  ['nintendo', /nintendo/i],
  ['darwin', /\bdarwin\//i],
];

const otherDevices: Names = [['console', /\b(?:playstation|nintendo|xbox)\b/i]];

type Names = ReadonlyArray<readonly [name: string, pattern: RegExp]>;

function firstIn(names: Names, userAgent: string): string {
  return names.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? '';
}

function deviceOf(os: string): string {
  return /^chrome os$|bsd$/i.test(os) ? 'desktop' : 'unknown';
}

function browserOf(userAgent: string, parser: Bowser.Parser.Parser): string {
  // What is no browser does not begin like one, and is known by its own name whatever follows.
  if (!/^mozilla\//i.test(userAgent)) return /^[^\s/(;,]{1,64}/.exec(userAgent)?.[0] ?? 'unknown';
  const app = firstIn(apps, userAgent);
  if (app !== '') return app;
  const name = parser.getBrowserName();
  if (isInApp(userAgent, name)) return 'app';
  // Of a browser that it does not know, the parser gives the beginning, with versions in it.
  return name === '' || userAgent.startsWith(name) ? unknownBrowser(userAgent) : name;
}

/** Any other app's page, by what Android adds to it, and what iOS leaves out. */
function isInApp(userAgent: string, name: string): boolean {
  if (name === 'Chrome') return userAgent.includes('; wv)');
  return (
    name === 'Safari' && /\((?:iphone|ipad|ipod)/i.test(userAgent) && !/ safari/i.test(userAgent)
  );
}

/** The first product (RFC 9110, section 10.1.5) that is not Mozilla, without its version. */
function unknownBrowser(userAgent: string): string {
  const products = userAgent.match(/[!#$%&'*+.^_`|~\w-]{1,64}(?=\/)/g) ?? [];
  return products.find((name) => !/^mozilla$/i.test(name)) ?? 'mozilla';
}
