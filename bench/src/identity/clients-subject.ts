import { type ClientInfo, SessionManager } from 'holdfast';
import { Fingerprinter } from 'holdfast/fingerprint';
import { InMemorySessionStore } from 'holdfast/memory';
import type { Figures } from '../figures.ts';
import { collectYoungGarbage, cpuTimePerOperation } from '../measuring.ts';
import type { Measure, Subject } from '../subject.ts';

export interface ClientsSubjectOptions {
  readonly sessions: number;
}

interface Request {
  readonly token: string;
  readonly client: ClientInfo | undefined;
}

/** `#` is where a version stands that tells each of them from all others. */
const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.#.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.#.0 Safari/537.36 Edg/140.0.0.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.# Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:143.#) Gecko/20100101 Firefox/143.#',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.#.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.# Chrome/130.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.# Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.#.101 Mobile/15E148 Safari/604.1',
];

/** Sessions that are bound to clients, and the requests of these clients. */
export class ClientsSubject implements Subject {
  readonly #manager: SessionManager;
  readonly #tokens: readonly string[];
  #versions = 0;

  private constructor(manager: SessionManager, tokens: readonly string[]) {
    this.#manager = manager;
    this.#tokens = tokens;
  }

  static async create({ sessions }: ClientsSubjectOptions): Promise<ClientsSubject> {
    const key = Buffer.alloc(32, 'a key for each figure, the same');
    const manager = new SessionManager({
      store: new InMemorySessionStore({ maxSessions: sessions }),
      clientBinding: new Fingerprinter({ keys: [{ keyId: 'bench', key }] }),
      strictClientBinding: true,
    });
    const tokens: string[] = [];
    for (let index = 0; index < sessions; index += 1) {
      tokens.push((await manager.create({ client: clientOf(index, 0) })).token);
    }
    return new ClientsSubject(manager, tokens);
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    const requests = this.#requests(count, measure);
    collectYoungGarbage();
    return cpuTimePerOperation(requests, (all) => authenticate(this.#manager, all));
  }

  async stop(): Promise<void> {
    await this.#manager.close();
  }

  #requests(count: number, measure: Measure): Request[] {
    const version = {
      token: () => undefined,
      tokenAndSeenClient: () => 0,
      tokenAndNewClient: () => ++this.#versions,
    }[measure as string];
    if (version === undefined) throw new Error(`Clients have no measure ${measure}.`);
    return Array.from({ length: count }, (_, index) => {
      const at = index % this.#tokens.length;
      const told = version();
      const client = told === undefined ? undefined : clientOf(at, told);
      return { token: fresh(this.#tokens[at] ?? ''), client };
    });
  }
}

async function authenticate(manager: SessionManager, requests: readonly Request[]) {
  for (const { token, client } of requests) await manager.authenticate(token, client);
}

function clientOf(index: number, version: number): ClientInfo {
  const userAgent = userAgents[index % userAgents.length]?.replaceAll('#', String(version)) ?? '';
  const [high, low] = [(index >> 8) & 255, index & 255];
  // Another address of the same network.
  const ipAddress =
    index % 2 === 0
      ? `2001:db8:${high.toString(16)}:${low.toString(16)}::${(version & 65_535).toString(16)}`
      : `10.${high}.${low}.${version & 255}`;
  return { ipAddress: fresh(ipAddress), userAgent: fresh(userAgent) };
}

/** As a request brings it: a string of its own. */
function fresh(text: string): string {
  return Buffer.from(text).toString();
}
