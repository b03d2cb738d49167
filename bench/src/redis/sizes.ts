/** How much of everything; `quick` is for a look whether it runs, its figures mean little. */
export interface RedisSizes {
  readonly rounds: number;
  readonly sessions: number;
  readonly atOnce: number;
  readonly turns: number;
  readonly traced: { readonly rounds: number; readonly turns: number };
  readonly history: {
    readonly sessions: number;
    readonly few: number;
    readonly many: number;
    readonly turns: number;
  };
  readonly one: { readonly processes: number; readonly writers: number; readonly turns: number };
  readonly namespace: {
    readonly few: number;
    readonly many: number;
    readonly expiring: number;
    readonly counts: number;
  };
  readonly footprints: number;
  readonly kept: {
    readonly sessions: number;
    readonly reads: number;
    readonly roundTrips: number;
  };
  readonly traffic: {
    readonly sessions: number;
    readonly kept: number;
    readonly processes: number;
    readonly visits: number;
    readonly quietVisits: number;
  };
  readonly trouble: {
    readonly leasesMs: readonly number[];
    readonly timeoutsMs: readonly number[];
    readonly waitsMs: readonly number[];
  };
}

export const fullRedisSizes: RedisSizes = {
  rounds: 5,
  sessions: 200,
  atOnce: 50,
  turns: 10_000,
  traced: { rounds: 101, turns: 1_000 },
  history: { sessions: 100, few: 10, many: 10_000, turns: 4_000 },
  one: { processes: 4, writers: 100, turns: 2_000 },
  namespace: { few: 1_000, many: 1_000_000, expiring: 10_000, counts: 50 },
  footprints: 2_000,
  kept: { sessions: 200, reads: 1_000_000, roundTrips: 5_000 },
  traffic: { sessions: 2_000, kept: 1_000, processes: 3, visits: 60_000, quietVisits: 900 },
  trouble: {
    leasesMs: [500, 1_000, 5_000],
    timeoutsMs: [500, 1_000, 5_000],
    waitsMs: [500, 1_000, 3_000],
  },
};

export const quickRedisSizes: RedisSizes = {
  rounds: 2,
  sessions: 200,
  atOnce: 50,
  turns: 2_000,
  traced: { rounds: 2, turns: 1_000 },
  history: { sessions: 100, few: 10, many: 200, turns: 1_000 },
  one: { processes: 4, writers: 100, turns: 400 },
  namespace: { few: 1_000, many: 5_000, expiring: 500, counts: 5 },
  footprints: 100,
  kept: { sessions: 200, reads: 50_000, roundTrips: 500 },
  traffic: { sessions: 2_000, kept: 1_000, processes: 3, visits: 6_000, quietVisits: 150 },
  trouble: { leasesMs: [200, 400], timeoutsMs: [200, 400], waitsMs: [200, 400] },
};
