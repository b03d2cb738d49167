import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../helpers/child-process.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { deployFolder } from './compose-file.ts';

/** What a script of `deploy/` makes, in a folder of its own. */
export async function madeBy(script: string, env: Record<string, string> = {}): Promise<string> {
  const folder = temporaryFolder();
  cpSync(join(deployFolder, script), join(folder, script));
  const making = startProcess('sh', [join(folder, script)], { cwd: folder, env });
  const { code } = await making.exit;
  if (code !== 0) throw new Error(`${script} failed: ${making.stdout}${making.stderr}`);
  return folder;
}
