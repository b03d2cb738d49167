import { APICallError, InvalidResponseDataError } from '@ai-sdk/provider';
import { ModelServerError } from '../model-error.ts';

/** The server reported a failure within its answer. */
export class ReportedFailure extends Error {
  override readonly name = 'ReportedFailure';
  readonly report: unknown;

  constructor(report: unknown) {
    super('The model server reported a failure.');
    this.report = report;
  }
}

/** Whether the same request may succeed a little later. */
export function isPassing(error: unknown): boolean {
  if (APICallError.isInstance(error)) return error.isRetryable;
  if (error instanceof ReportedFailure) {
    const status = fieldsOf(error.report).code;
    return typeof status !== 'number' || isPassingStatus(status);
  }
  // The connection ended.
  return error instanceof TypeError || InvalidResponseDataError.isInstance(error);
}

/** How long the server wants to be left alone, in ms; undefined where it says nothing of it. */
export function retryAfterMs(error: unknown, now: number): number | undefined {
  if (!APICallError.isInstance(error)) return undefined;
  const { 'retry-after-ms': exact, 'retry-after': header } = error.responseHeaders ?? {};
  if (exact !== undefined && /^\d{1,9}(\.\d+)?$/.test(exact)) return Number(exact);
  if (header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What went wrong in asking a model server, in words that may be logged. */
export function failureOf(error: unknown, now: number): ModelServerError {
  if (error instanceof ModelServerError) return error;
  if (error instanceof ReportedFailure) return reportedFailure(error.report);
  if (!APICallError.isInstance(error)) {
    return new ModelServerError(
      'broken',
      'The answer of the model server broke off, or cannot be read. If it lasts, check that OPENAI_API_BASE is a server with OpenAI’s chat completions.',
    );
  }
  const { statusCode: status } = error;
  if (status === undefined) {
    return new ModelServerError(
      'unavailable',
      `The model server at OPENAI_API_BASE cannot be reached${inBrackets(codeIn(error))}. Check that it runs, and the address.`,
    );
  }
  const what = inBrackets(status, wordOf(error.data));
  if (isPassingStatus(status)) {
    const waitMs = retryAfterMs(error, now);
    const seconds = waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs / 1000));
    const message = `The model server cannot answer now${what}. If it lasts, look at its own state, and at the limits of the account.`;
    return new ModelServerError('unavailable', message, seconds);
  }
  return new ModelServerError(...refusal(status, what));
}

export function silentFor(ms: number): ModelServerError {
  return new ModelServerError(
    'silent',
    `The model server said nothing for ${ms / 1000} s. If it is only slow, raise AGENT_MODEL_TIMEOUT_SECONDS.`,
  );
}

function refusal(status: number, what: string): ['refused' | 'broken', string] {
  if (status === 401 || status === 403) {
    return ['refused', `The model server refused the key${what}. Check OPENAI_API_KEY.`];
  }
  if (status === 404) {
    return [
      'refused',
      `The model server knows no such model or address${what}. Check AGENT_MODEL and OPENAI_API_BASE.`,
    ];
  }
  if (status >= 300 && status < 400) {
    return [
      'refused',
      `The model server is at another address${what}. Set OPENAI_API_BASE to it: messages are sent nowhere else.`,
    ];
  }
  if (status < 300) return ['broken', 'The answer of the model server cannot be read.'];
  return [
    'refused',
    `The model server refused the request${what}. Check that AGENT_MODEL can use tools, and stream.`,
  ];
}

function reportedFailure(report: unknown): ModelServerError {
  const { code } = fieldsOf(report);
  const isOwnFault = typeof code === 'number' && !isPassingStatus(code);
  return new ModelServerError(
    isOwnFault ? 'broken' : 'unavailable',
    `The model server failed while it answered${inBrackets(wordOf({ error: report }))}. If it lasts, look at its own state.`,
  );
}

function isPassingStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

function inBrackets(...words: readonly (string | number | undefined)[]): string {
  const known = words.filter((word) => word !== undefined);
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

/** The server's name for what is wrong. Its sentences may quote the customer, or a part of the key. */
function wordOf(data: unknown): string | undefined {
  const { code, type } = fieldsOf(fieldsOf(data).error);
  return [code, type].find((word): word is string => typeof word === 'string' && isName(word));
}

function isName(word: string): boolean {
  return /^[a-z]+(?:_[a-z]+)*$/.test(word) && word.length <= 64;
}

/** The system's name for it, such as `ECONNREFUSED`. */
function codeIn(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z_]+$/.test(cause.code)) {
      return cause.code;
    }
  }
  return undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
