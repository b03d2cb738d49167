import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider';
import { retryWithExponentialBackoff } from '@ai-sdk/provider-utils';
import type { Clock, Secret } from 'holdfast';
import { ModelServerError } from '../model-error.ts';
import { failureOf, isPassing, ReportedFailure, retryAfterMs, silentFor } from './failures.ts';
import { Silence } from './silence.ts';

/** How often it is asked again, the first pause between, and by how much each next one is longer. */
const retries = { maxRetries: 2, initialDelayInMs: 500, backoffFactor: 2 };

export interface ModelServerOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Asked for at each request; undefined for a server that wants none. */
  readonly apiKey: Secret | undefined;
  /** The model, by the server's name for it. */
  readonly model: string;
  /** How long the server may say nothing, in ms: retries are within. */
  readonly timeoutMs: number;
}

type Question = Pick<LanguageModelV3CallOptions, 'prompt' | 'tools'>;

/** A server with OpenAI's chat completions, asked over and over until it begins to answer. */
export class ModelServer {
  readonly #options: ModelServerOptions;
  readonly #clock: Clock;
  readonly #chat: LanguageModelV3;

  constructor(options: ModelServerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const { baseUrl: baseURL, model } = options;
    this.#chat = createOpenAICompatible({
      name: 'openai',
      baseURL,
      includeUsage: true,
      // What customers write goes where the settings say, and is not passed on from there.
      fetch: (address, init) => fetch(address, { ...init, redirect: 'manual' }),
    }).chatModel(model);
  }

  /**
   * What the server says, to its end. Whoever stops reading closes the request, as the signal does.
   *
   * A failure that may pass is tried again only until the first piece is there: what was said cannot be
   * taken back.
   *
   * @throws ModelServerError; the signal's reason
   */
  async *ask(question: Question, signal: AbortSignal): AsyncGenerator<LanguageModelV3StreamPart> {
    const { timeoutMs } = this.#options;
    const silence = new Silence(timeoutMs, this.#clock);
    const left = new AbortController();
    const abortSignal = AbortSignal.any([signal, silence.signal, left.signal]);
    try {
      const { first, rest } = await this.#begun({ ...question, abortSignal }, silence);
      let part: LanguageModelV3StreamPart | undefined = first;
      while (part !== undefined) {
        // The time that the reader takes is not the server's.
        silence.end();
        yield part;
        silence.begin();
        const { done, value } = await rest.next();
        part = done ? undefined : spoken(value);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (silence.signal.aborted) throw silentFor(timeoutMs);
      throw failureOf(error, this.#clock.now());
    } finally {
      silence.end();
      left.abort();
    }
  }

  async #begun(options: LanguageModelV3CallOptions, silence: Silence): Promise<Begun> {
    const { abortSignal } = options;
    const waitFor = (error: unknown) => retryAfterMs(error, this.#clock.now());
    const retry = retryWithExponentialBackoff({
      ...retries,
      ...(abortSignal === undefined ? {} : { abortSignal }),
      shouldRetry: (error) => isPassing(error) && (waitFor(error) ?? 0) < silence.leftMs,
      getDelayInMs: ({ error, exponentialBackoffDelay }) =>
        waitFor(error) ?? exponentialBackoffDelay * (0.5 + Math.random() / 2),
      createRetryError: ({ errors }) => errors.at(-1),
    });
    return await retry(() => this.#begin(options));
  }

  /** Asks once, and waits for the first piece. */
  async #begin(options: LanguageModelV3CallOptions): Promise<Begun> {
    const headers = authorization(this.#options.apiKey);
    const { stream } = await this.#chat.doStream({ ...options, headers });
    const rest = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await rest.next();
        if (done) throw new ModelServerError('broken', 'The model server said nothing at all.');
        if (!isSilent(value)) return { first: spoken(value), rest };
      }
    } catch (error) {
      // Its connection is not kept for the attempts to come.
      rest.return?.().catch(() => {});
      throw error;
    }
  }
}

/** An answer of which the first piece is there. */
interface Begun {
  readonly first: LanguageModelV3StreamPart;
  readonly rest: AsyncIterator<LanguageModelV3StreamPart>;
}

/** @throws ModelServerError for a key from a file that no header can hold: `fetch` would quote it */
function authorization(key: Secret | undefined): Record<string, string> {
  if (key === undefined) return {};
  if (/^[\x21-\x7e]+$/.test(key.value)) return { Authorization: `Bearer ${key.value}` };
  throw new ModelServerError(
    'refused',
    'The key of the model server has characters that no header can hold. Check what is in OPENAI_API_KEY_FILE.',
  );
}

/** Whether a part comes before anything was said. */
function isSilent({ type }: LanguageModelV3StreamPart): boolean {
  return type === 'stream-start' || type === 'response-metadata' || type === 'raw';
}

/** @throws ReportedFailure for what is none; what the library found wrong with the stream */
function spoken(part: LanguageModelV3StreamPart): LanguageModelV3StreamPart {
  if (part.type !== 'error') return part;
  if (part.error instanceof Error) throw part.error;
  throw new ReportedFailure(part.error);
}
