import { render } from 'preact';
import { createApi } from './api.ts';
import { App } from './app.tsx';
import { Conversation } from './conversation.ts';
import { createSessionId, SESSION_KEY } from './session-id.ts';
import './style.css';
import { uuid } from './uuid.ts';

/** `null` where the browser forbids storage, which it does by throwing. */
function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

const conversation = new Conversation({
  api: createApi((url, init) => fetch(url, init)),
  session: createSessionId(browserStorage()),
  newKey: uuid,
});

// Another tab began or ended the conversation: the cookie changed with it, so this tab follows.
window.addEventListener('storage', (event) => {
  if (event.key === SESSION_KEY || event.key === null) void conversation.load();
});

const root = document.getElementById('app');
if (root !== null) render(<App conversation={conversation} />, root);
void conversation.load();
