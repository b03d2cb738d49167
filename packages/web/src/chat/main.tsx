import { render } from 'preact';
import { pause } from '../pause.ts';
import { browserStorage, keptIn } from '../storage.ts';
import { createApi } from './api.ts';
import { App } from './app.tsx';
import { Conversation } from './conversation.ts';
import { createSessionId, SESSION_KEY } from './session-id.ts';
import './styles/index.css';
import { uuid } from '../uuid.ts';
import { createTabMemory } from './tab-memory.ts';

/** How often it is asked whether a person has written, while one is expected. */
const CHECK_MS = 5_000;

const tab = browserStorage('sessionStorage');
const conversation = new Conversation({
  api: createApi((url, init) => fetch(url, init)),
  session: createSessionId(browserStorage('localStorage')),
  memory: createTabMemory(tab),
  newKey: uuid,
  now: Date.now,
  pause,
});

// Another tab began or ended the conversation: the cookie changed with it, so this tab follows.
window.addEventListener('storage', (event) => {
  if (event.key === SESSION_KEY || event.key === null) void conversation.load();
});

const show = () => conversation.show(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', show);
setInterval(() => conversation.checkForPerson(), CHECK_MS);

const root = document.getElementById('app');
if (root !== null) {
  render(<App conversation={conversation} draft={keptIn(tab, 'holdfast.draft')} />, root);
}
show();
void conversation.load();
