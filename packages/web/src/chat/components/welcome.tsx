import { Ridges } from '../../components/brand.tsx';

const QUESTIONS = [
  'How long does standard delivery take?',
  'How do I return a jacket?',
  'How long is the warranty on a tent?',
  'Can I talk to a person?',
];

export function Welcome({ onAsk }: { onAsk: (text: string) => void }) {
  return (
    <div class="welcome">
      <div class="view">
        <Ridges />
      </div>
      <h2>How can we help?</h2>
      <p>Ask in your own words, or begin with one of these.</p>
      <ul>
        {QUESTIONS.map((question) => (
          <li key={question}>
            <button type="button" class="quiet" onClick={() => onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
