import { Mark, Ridges } from '../../components/brand.tsx';
import { LeaveIcon, PlusIcon } from '../../components/icons.tsx';

interface HeaderProps {
  /** There is a session to end. */
  open: boolean;
  ending: boolean;
  /** There is something on the screen to begin anew from. */
  begun: boolean;
  onNew: () => void;
  onEnd: () => void;
}

/** Above the conversation on a phone, beside it where there is room. */
export function Header({ open, ending, begun, onNew, onEnd }: HeaderProps) {
  return (
    <header class="side">
      <div class="brand">
        <Mark />
        <h1>
          Fjell &amp; Fern <span>Help</span>
        </h1>
      </div>
      <div class="about">
        <p>
          Answers come from our help articles and name the ones they used. If you would rather talk
          to one of us, just say so.
        </p>
        <dl>
          <dt>Our team in this chat</dt>
          <dd>Monday to Friday 8:00–18:00</dd>
          <dd>Saturday 9:00–13:00, UK time</dd>
          <dt>By phone</dt>
          <dd>
            <a href="tel:+441314960142">0131 496 0142</a>
          </dd>
        </dl>
      </div>
      <div class="actions">
        {begun && (
          <button type="button" class="on-night new" disabled={ending} onClick={onNew}>
            <PlusIcon />
            <span>New conversation</span>
          </button>
        )}
        {open && (
          <button type="button" class="on-night end" disabled={ending} onClick={onEnd}>
            <LeaveIcon />
            {ending ? 'Ending…' : 'End chat'}
          </button>
        )}
      </div>
      <Ridges />
    </header>
  );
}
