import { type RunningProcess, startProcess } from './child-process.ts';

/** `npm start` in a checkout, on a free port unless `env` says another. */
export function npmStart(cwd: string, env: Record<string, string> = {}): RunningProcess {
  return startProcess('npm', ['start', '--silent'], { cwd, env: { API_PORT: '0', ...env } });
}

/** Where the server says that it is, once it is ready. */
export async function addressOf(start: RunningProcess): Promise<string> {
  const [address] = await start.says(/http:\/\/localhost:\d+/);
  return address;
}
