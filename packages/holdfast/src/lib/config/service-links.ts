import { settingsSchema } from './settings.ts';
import type { ConfigWarning } from './warnings.ts';

/** What Kubernetes sets in every pod for each service, such as `API_PORT` for one of the name `api`. */
const links = /^(tcp|udp|sctp):\/\/[\d.:[\]a-f]+$/i;
const names = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;

export function isServiceLink(name: string, value: string): boolean {
  return links.test(value) || names.test(name);
}

/** A service of an unlucky name would otherwise stop the start. */
export function dropServiceLinks(given: Record<string, string>, warnings: ConfigWarning[]): void {
  for (const setting of Object.keys(settingsSchema.shape)) {
    if (!links.test(given[setting] ?? '')) continue;
    delete given[setting];
    const message = `${setting} is what Kubernetes says of a service, and not used: set enableServiceLinks: false in the pod, or name the service otherwise`;
    warnings.push({ setting, message });
  }
}
