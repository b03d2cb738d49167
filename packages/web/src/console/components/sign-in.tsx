import type { TargetedSubmitEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Horizon, Mark } from '../../components/brand.tsx';
import { SIGN_IN } from '../wording.ts';

interface SignInProps {
  problem: string;
  /** Something that was asked for before was not done, as far as is known. */
  undone: boolean;
  busy: boolean;
  onSignIn: (key: string) => void;
}

export function SignIn({ problem, undone, busy, onSignIn }: SignInProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!busy) input.current?.focus();
  }, [busy]);

  function submit(event: TargetedSubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const key = input.current?.value.trim() ?? '';
    if (key !== '') onSignIn(key);
  }

  return (
    <div class="door">
      <main class="sign-in">
        <div class="brand">
          <Mark />
          <h1>
            Fjell &amp; Fern <span>Console</span>
          </h1>
        </div>
        {undone && (
          <p class="problem" role="alert">
            {SIGN_IN.undone}
          </p>
        )}
        <form onSubmit={submit}>
          <label for="key">Operator key</label>
          <input
            id="key"
            name="key"
            type="password"
            autocomplete="current-password"
            required
            ref={input}
            aria-invalid={problem === SIGN_IN.wrongKey}
            aria-describedby="key-problem key-hint"
          />
          <p id="key-problem" class="error" role="alert">
            {problem}
          </p>
          <button type="submit" disabled={busy}>
            {busy ? 'Signing in…' : 'Sign in'}
          </button>
          <p id="key-hint" class="hint">
            It is the server’s <code>ADMIN_API_KEY</code>, or the key that the server printed when
            it started. This tab forgets it when you sign out or close it.
          </p>
        </form>
      </main>
      <Horizon />
    </div>
  );
}
