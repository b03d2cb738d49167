import { devNull } from 'node:os';
import { expect, it } from 'vitest';
import { loadConfig } from './load-config.ts';

/** What shells, Node.js, npm, containers, Kubernetes, CI systems and other libraries set. */
const common = [
  ...[
    'PATH',
    'HOME',
    'USER',
    'SHELL',
    'PWD',
    'OLDPWD',
    'LANG',
    'LC_ALL',
    'TERM',
    'TZ',
    'SHLVL',
    'TMPDIR',
  ],
  ...[
    'HOSTNAME',
    'HOST',
    'PORT',
    'COLUMNS',
    'LINES',
    'EDITOR',
    'LOGNAME',
    'MAIL',
    'DISPLAY',
    'DEBUG',
  ],
  ...[
    'NODE_ENV',
    'NODE_OPTIONS',
    'NODE_PATH',
    'NODE_VERSION',
    'NODE_EXTRA_CA_CERTS',
    'YARN_VERSION',
  ],
  ...[
    'npm_config_registry',
    'npm_lifecycle_event',
    'npm_package_name',
    'WEB_CONCURRENCY',
    'UV_THREADPOOL_SIZE',
  ],
  ...[
    'CI',
    'GITHUB_ACTIONS',
    'GITHUB_TOKEN',
    'GITHUB_SHA',
    'GITLAB_CI',
    'CI_JOB_ID',
    'BUILD_ID',
    'RUNNER_OS',
  ],
  ...[
    'KUBERNETES_SERVICE_HOST',
    'KUBERNETES_PORT',
    'POD_NAME',
    'POD_IP',
    'DOCKER_HOST',
    'HTTP_PROXY',
    'NO_PROXY',
  ],
  ...[
    'DATABASE_URL',
    'LOG_FORMAT',
    'SENTRY_DSN',
    'SECRET_KEY',
    'API_KEY',
    'API_URL',
    'AWS_REGION',
    'SSL_CERT_FILE',
  ],
  ...[
    'OTEL_SERVICE_NAME',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'REDIS_HOST',
    'POSTGRES_PASSWORD',
    'SESSION_SECRET',
  ],
];

it.each(common)('%s, which others set, is taken for no misspelt setting', (name) => {
  const { warnings } = loadConfig({ env: { [name]: '1' }, envFile: devNull });
  expect(warnings).toEqual([]);
});
