/** What the server refuses by itself, before or beside the library: code, HTTP status, title. */
export const problems = {
  MALFORMED_JSON: { status: 400, title: 'The body is not valid JSON' },
  BAD_REQUEST: { status: 400, title: 'The request is not valid' },
  CROSS_SITE_REQUEST: { status: 403, title: 'Request from another site' },
  OPERATOR_ONLY: { status: 403, title: 'Operators only' },
  ROUTE_NOT_FOUND: { status: 404, title: 'No such address' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long' },
  TICKET_CHANGED: { status: 409, title: 'The ticket has changed' },
  PRECONDITION_FAILED: { status: 412, title: 'A condition of the request does not hold' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type or coding is not supported' },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'The page has no such part' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  MODEL_FAILED: { status: 502, title: 'The assistant failed' },
  MODEL_UNAVAILABLE: { status: 503, title: 'The assistant cannot answer now' },
  STREAM_LIMIT: { status: 503, title: 'Too many streams are open' },
  SERVER_CLOSING: { status: 503, title: 'The server is stopping' },
  PAGE_NOT_BUILT: { status: 503, title: 'The page is not built' },
  MODEL_TIMEOUT: { status: 504, title: 'The assistant took too long' },
} as const;

export type HttpProblemCode = keyof typeof problems;

export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpProblemCode;

  /** When it may be tried again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: HttpProblemCode,
    detail: string,
    options: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(detail, options);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problems[this.code].status;
  }

  get title(): string {
    return problems[this.code].title;
  }
}
