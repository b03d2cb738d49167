import { type Diagnosis, diagnoses } from './diagnoses.ts';
import { ConnectionLostError, RedisReplyError, RedisTimeoutError } from './redis-connection.ts';
import { UnreachedServerError } from './unreached-server-error.ts';

/** Other names of the same failures. */
const synonyms: Readonly<Record<string, keyof typeof diagnoses>> = {
  ENETUNREACH: 'EHOSTUNREACH',
  EPIPE: 'ECONNRESET',
  ECONNABORTED: 'ECONNRESET',
  EPROTO: 'TLS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'CERTIFICATE',
  UNABLE_TO_GET_ISSUER_CERT: 'CERTIFICATE',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'CERTIFICATE',
};

/** Replies whose code is the general `ERR`, by their words. */
const repliesByWords: ReadonlyArray<readonly [RegExp, keyof typeof diagnoses]> = [
  [/max(imum)? number of clients/i, 'MAXCLIENTS'],
  [/DB index is out of range|invalid DB index/i, 'DATABASE'],
  [/without any password configured/i, 'WRONGPASS'],
  [/unknown command .?HELLO/i, 'NOPROTO'],
  // By a script of Holdfast's own, which names the key.
  [/\bWRONGTYPE\b/, 'WRONGTYPE'],
];

/** What went wrong, from the error of the client, the server or the system. */
export function diagnose(error: unknown): Diagnosis {
  if (error instanceof RedisReplyError) {
    const byWords = repliesByWords.find(([words]) => words.test(error.message))?.[1];
    return known(byWords ?? error.code) ?? diagnoses.UNKNOWN_REPLY;
  }
  if (error instanceof RedisTimeoutError) return diagnoses.ETIMEDOUT;
  if (error instanceof UnreachedServerError) return unreached(error);
  if (!(error instanceof Error)) return diagnoses.UNKNOWN;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const byCode = known(code);
  if (byCode !== undefined) return byCode;
  // OpenSSL's own errors, the server's alerts among them; the checks of its certificate are not.
  if (code.startsWith('ERR_SSL_')) return diagnoses.TLS;
  if (/CERT|SIGNED/.test(code)) return diagnoses.CERTIFICATE;
  // node-redis's own words for what it cannot read, and for an end without a code.
  if (/^Unknown RESP type/.test(error.message)) return diagnoses.NOT_REDIS;
  if (/Socket closed unexpectedly/.test(error.message)) return diagnoses.ECONNRESET;
  if (error.cause !== undefined) return diagnose(error.cause);
  return error instanceof ConnectionLostError ? diagnoses.ECONNRESET : diagnoses.UNKNOWN;
}

/** Not of the address of `REDIS_URL`, whose host counts for nothing there. */
function unreached({ server, setting, cause }: UnreachedServerError): Diagnosis {
  const { phrase, what } = diagnose(cause);
  return {
    phrase,
    what: `cannot be found: ${server} ${what}`,
    remedy: `Start what is to be there, or correct ${setting}.`,
  };
}

function known(code: string): Diagnosis | undefined {
  const key = Object.hasOwn(synonyms, code) ? synonyms[code] : code;
  if (key === undefined || !Object.hasOwn(diagnoses, key)) return undefined;
  return diagnoses[key as keyof typeof diagnoses];
}
