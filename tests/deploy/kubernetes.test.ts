import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../packages/holdfast/src/lib/config/settings.ts';
import { composeFile } from './compose-file.ts';
import {
  hasKubectl,
  kustomized,
  type Manifest,
  manifestsIn,
  typeErrors,
  validate,
} from './manifests.ts';
import { built } from './overlay.ts';

describe('what checks manifests', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'one' },
    spec: { ports: [{ port: 80 }] },
  };

  it('finds a value that is wrong, and a field that is not known', () => {
    expect(() => validate(service)).not.toThrow();
    expect(() => validate({ ...service, spec: { ports: [{ port: 'http' }] } })).toThrow('port');
    expect(typeErrors([service])).toEqual([]);
    const [unknown] = typeErrors([{ ...service, spec: { prots: [] } }]);
    expect(unknown).toContain('prots');
  });
});

/** What is looked at of a pod, whichever resource makes it. */
interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly automountServiceAccountToken: boolean;
    readonly enableServiceLinks: boolean;
    readonly terminationGracePeriodSeconds: number;
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly containers: readonly Container[];
    readonly volumes: readonly Readonly<Record<string, unknown>>[];
  };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly startupProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly scheme?: string };
}

const variants = ['base', 'redis-cluster', 'tls'];
const examples = [
  ...manifestsIn('.'),
  ...manifestsIn('tls').filter(({ kind }) => kind === 'Ingress'),
];

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}.`);
  return found;
}

function podOf({ spec }: Manifest): Pod | undefined {
  return (spec as { template?: Pod } | undefined)?.template;
}

const podsOf = (manifests: readonly Manifest[]) => manifests.flatMap((one) => podOf(one) ?? []);

function serverOf(manifests: readonly Manifest[]): { pod: Pod; server: Container } {
  const pod = podOf(find(manifests, 'Deployment', 'holdfast'));
  const [server] = pod?.spec.containers ?? [];
  if (pod === undefined || server === undefined) throw new Error('There is no server.');
  return { pod, server };
}

describe.each(variants)('deploy/kubernetes/%s', (variant) => {
  const manifests = built(variant);

  it.skipIf(!hasKubectl)('is built here as kustomize builds it (kubectl)', () => {
    const sorted = (list: readonly Manifest[]) =>
      list.toSorted((a, b) =>
        `${a.kind}${a.metadata.name}`.localeCompare(`${b.kind}${b.metadata.name}`),
      );
    // The order of a pod's volumes says nothing.
    const plain = (list: readonly Manifest[]) =>
      sorted(list).map((one) =>
        JSON.parse(JSON.stringify(one), (key, value) =>
          ['volumes', 'volumeMounts'].includes(key)
            ? value.toSorted((a: Volume, b: Volume) => a.name.localeCompare(b.name))
            : value,
        ),
      );
    expect(plain(kustomized(variant))).toEqual(plain(manifests));
  });

  it('is valid to its last field', () => {
    expect(manifests.length).toBeGreaterThan(7);
    for (const manifest of manifests) expect(() => validate(manifest)).not.toThrow();
    expect(typeErrors(manifests)).toEqual([]);
  });

  it('lets no pod do more than it needs', () => {
    for (const { spec } of podsOf(manifests)) {
      expect([spec.automountServiceAccountToken, spec.enableServiceLinks]).toEqual([false, false]);
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext, resources, image } of spec.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(resources).toSorted()).toEqual(['limits', 'requests']);
        expect(image).toMatch(/:[\w.-]+$/);
      }
    }
  });

  it('asks the server whether it is ready, and gives it time to stop', () => {
    const { pod, server } = serverOf(manifests);
    const scheme = variant === 'tls' ? { scheme: 'HTTPS' } : {};
    const paths = { live: '/health/live', ready: '/health/ready' };
    expect(server.readinessProbe.httpGet).toEqual({ port: 'http', path: paths.ready, ...scheme });
    expect(server.livenessProbe.httpGet).toEqual({ port: 'http', path: paths.live, ...scheme });
    expect(server.startupProbe.httpGet).toEqual({ port: 'http', path: paths.live, ...scheme });
    const [sleep, seconds] = server.lifecycle.preStop.exec.command;
    expect(sleep).toBe('sleep');
    // 10 s for turns that run and 2 s to hand the others' sessions back.
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + 12);
    const deployment = find(manifests, 'Deployment', 'holdfast').spec;
    expect(deployment).toMatchObject({
      replicas: 3,
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    });
  });

  it('selects pods that there are', () => {
    const labels = podsOf(manifests).map(({ metadata }) => metadata.labels);
    const selecting = manifests.flatMap(({ kind, spec }) => {
      const { selector, podSelector } = (spec ?? {}) as Record<string, Selector | undefined>;
      const chosen = kind === 'Service' ? selector : (selector ?? podSelector)?.matchLabels;
      return chosen === undefined ? [] : [chosen];
    });
    expect(selecting.length).toBeGreaterThan(4);
    for (const chosen of selecting) {
      const isChosen = (one: Readonly<Record<string, string>>) =>
        Object.entries(chosen).every(([name, value]) => one[name] === value);
      expect([chosen, labels.filter(isChosen).length]).toEqual([chosen, 1]);
    }
    const budget = find(manifests, 'PodDisruptionBudget', 'holdfast').spec;
    expect(budget).toMatchObject({ maxUnavailable: 1 });
  });

  it('sets only settings that there are, and secrets by files that the example has', () => {
    const known = Object.keys(settingsSchema.shape);
    const { data } = find(manifests, 'ConfigMap', 'holdfast') as unknown as { data: object };
    const { server } = serverOf(manifests);
    const names = [...Object.keys(data), ...server.env.map(({ name }) => name)];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const { stringData } = find(examples, 'Secret', 'holdfast') as unknown as {
      stringData: Record<string, string>;
    };
    const files = server.env.map(({ value }) => value?.replace('/run/secrets/holdfast/', ''));
    expect(files.toSorted()).toEqual(Object.keys(stringData).toSorted());
    // As it stands it opens nothing.
    expect(Object.values(stringData).filter(Boolean)).toEqual([]);
  });

  it('has Redis write to disk and evict nothing, as Compose has', () => {
    const name = variant === 'redis-cluster' ? 'holdfast-redis-cluster' : 'holdfast-redis';
    const args = podOf(find(manifests, 'StatefulSet', name))?.spec.containers[0]?.args.join(' ');
    const common = composeFile().services.redis?.command?.slice(1).join(' ');
    expect(args).toContain(common);
    expect(common).toContain('--appendonly yes');
    expect(common).toContain('--maxmemory-policy noeviction');
    if (variant === 'tls') expect(args).toContain('--port 0 --tls-port 6379');
  });
});

interface Volume {
  readonly name: string;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

describe('the examples', () => {
  it('are valid to their last field', () => {
    expect(examples.map(({ kind }) => kind).toSorted()).toEqual(['Ingress', 'Ingress', 'Secret']);
    for (const example of examples) expect(() => validate(example)).not.toThrow();
    expect(typeErrors(examples)).toEqual([]);
  });
});
