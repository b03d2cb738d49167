/** The metadata of a session, as stored JSON: 1 MB. */
export const maxMetadataBytes = 1024 * 1024;

/** The content of one message, as stored JSON: 1 MB. */
export const maxMessageBytes = 1024 * 1024;

/** Distinct counters of one session. */
export const maxCounters = 128;

/** Stored outcomes of one session, in number and in bytes of JSON: the oldest go first. */
export const maxOutcomes = 64;
export const maxOutcomeBytes = 256 * 1024;

/** One piece of live output, in bytes of JSON. */
export const maxOutputBytes = 64 * 1024;

/** Live output kept for replay in one session, in events and in bytes of JSON: the oldest go first. */
export const maxLiveEvents = 1024;
export const maxLiveBytes = 256 * 1024;

/** The most that one page of a listing holds. */
export const maxPageSize = 200;

/** How long an interrupted holder may still commit, once. */
export const interruptGraceMs = 2_000;
