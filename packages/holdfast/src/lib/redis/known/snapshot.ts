import { isShareable, type MetadataReader } from '../../model/metadata.ts';
import type { Session, SessionCredentials, SessionState } from '../../model/session.ts';
import type { Header } from '../layout/header.ts';

/** The decoded values of a session under one etag. */
export class Snapshot<Metadata extends object> {
  readonly etag: string;
  readonly state: SessionState;
  readonly credentials: SessionCredentials;
  #metadata: Metadata | undefined;

  constructor(etag: string, state: SessionState, credentials: SessionCredentials) {
    this.etag = etag;
    this.state = state;
    this.credentials = credentials;
  }

  /** Whether all readers get the same metadata. */
  get isShareable(): boolean {
    return this.#metadata !== undefined;
  }

  metadata(read: MetadataReader<Metadata>): Metadata {
    if (this.#metadata !== undefined) return this.#metadata;
    const metadata = read(this.state.metadata);
    if (isShareable(metadata)) this.#metadata = metadata;
    return metadata;
  }
}

/** A session as it was read. */
export interface StoredSnapshot<Metadata extends object> {
  readonly header: Header;
  readonly counters: ReadonlyMap<string, number>;
  readonly snapshot: Snapshot<Metadata>;
}

/** A session as its readers see it. `leaseUntil`: until when a lease holds off the idle expiry. */
export function viewOf<Metadata extends object>(
  id: string,
  { header, counters, snapshot }: StoredSnapshot<Metadata>,
  read: MetadataReader<Metadata>,
  leaseUntil = header.leaseUntil,
): Session<Metadata> {
  const { state } = snapshot;
  const metadata = snapshot.metadata(read);
  return Object.freeze({
    id,
    userId: state.userId,
    threadId: state.threadId,
    status: state.status,
    escalated: state.escalated,
    messageCount: counters.get('messageCount') ?? 0,
    counters: Object.freeze(Object.fromEntries(counters)),
    metadata,
    createdAt: header.createdAt,
    updatedAt: header.updatedAt,
    lastActivity: header.lastActivity,
    expiresAt: Math.min(header.absoluteExpiresAt, Math.max(header.idleExpiresAt, leaseUntil)),
    version: header.version,
  });
}
