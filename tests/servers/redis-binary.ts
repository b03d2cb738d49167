import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface RedisBinary {
  command: string;
  /** What it needs around it to run. */
  env: NodeJS.ProcessEnv;
  version: string;
}

/** Asks a server for its version, which shows that it and its libraries fit this machine. */
export async function probe(
  command: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RedisBinary | Error> {
  try {
    const { stdout } = await promisify(execFile)(command, ['--version'], { env });
    const version = /\bv=(\S+)/.exec(stdout)?.[1];
    if (version === undefined) return new Error(`it says "${stdout.trim().split('\n')[0]}"`);
    return { command, env, version };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return new Error((stderr || message).trim().split('\n')[0]);
  }
}
