import { render } from 'preact';
import { browserStorage, keptIn } from '../storage.ts';
import { uuid } from '../uuid.ts';
import { createOperatorApi } from './api.ts';
import { App } from './app.tsx';
import { Desk } from './desk.ts';
import { createOperatorKey } from './operator-key.ts';
import './styles/index.css';

const REFRESH_MS = 5_000;

const tab = browserStorage('sessionStorage');
const desk = new Desk({
  connect: (key) => createOperatorApi((url, init) => fetch(url, init), key),
  operatorKey: createOperatorKey(tab),
  unsent: keptIn(tab, 'holdfast.unsent'),
  newKey: uuid,
});

/** The chosen session is in the address, so that the browser's way back leads to the list. */
const chosen = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null; // no session has such an address
  }
};
window.addEventListener('hashchange', () => void desk.choose(chosen()));

const refresh = () => {
  if (document.visibilityState === 'visible') void desk.refresh();
};
document.addEventListener('visibilitychange', refresh);
setInterval(refresh, REFRESH_MS);

const root = document.getElementById('app');
if (root !== null) render(<App desk={desk} kept={keptIn(tab, 'holdfast.drafts')} />, root);
void desk.choose(chosen()).then(() => desk.resume());
