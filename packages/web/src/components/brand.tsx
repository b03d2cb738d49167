/** A fern between two ridges, and the shop's name. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <circle class="mark-sky" cx="20" cy="20" r="20" />
      <path class="mark-far" d="M2.3 29 13 15.5l5.6 6.8L25.4 13l12.3 16A20 20 0 0 1 2.3 29z" />
      <path
        class="mark-fern"
        d="M20 35.5c-.4-7 .2-12.4 2.6-18.6M20 31c-3.4.2-5.6-.8-7-3M20 31c3.2-.2 5.4-1.5 6.6-3.7M20.2 26.8c-2.9 0-4.8-1-5.9-2.8M20.2 26.8c2.8-.2 4.7-1.3 5.7-3.2M20.9 22.8c-2.2-.2-3.6-1-4.4-2.4M20.9 22.8c2.2-.2 3.6-1 4.4-2.5"
      />
    </svg>
  );
}

/** Decoration: a low sun, mountains behind mountains, and a wood. */
export function Ridges() {
  return (
    <svg
      class="ridges"
      viewBox="0 0 320 200"
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
    >
      <circle class="ridge-sun" cx="226" cy="84" r="17" />
      <path class="ridge-1" d="M0 124 46 82l26 22 50-62 42 50 20-17 54 58 38-30 44 38v55H0z" />
      <path class="ridge-2" d="M0 150l38-30 30 18 46-46 44 44 30-20 52 42 38-26 42 28v40H0z" />
      <path
        class="ridge-3"
        d="M0 172c20-8 36-11 54-7s30 9 52 2 40-14 64-6 36 12 62 3 52-10 88 4v32H0z"
      />
      <path
        class="ridge-3"
        d="M18 176l5-19 5 19zM27 172l6-26 6 26zM38 170l5-19 5 19zM47 170l4-15 4 15zM242 170l5-18 5 18zM252 167l6-25 6 25zM263 166l7-30 7 30zM276 166l5-20 5 20zM287 168l4-15 4 15z"
      />
    </svg>
  );
}

/** The same from far off, as wide as it has to be. */
export function Horizon() {
  return (
    <svg class="ridges" viewBox="0 60 320 140" preserveAspectRatio="none" aria-hidden="true">
      <path class="ridge-1" d="M0 124 46 82l26 22 50-38 42 34 20-17 54 46 38-30 44 30v71H0z" />
      <path class="ridge-2" d="M0 150l38-30 30 18 46-34 44 34 30-16 52 34 38-20 42 22v42H0z" />
      <path
        class="ridge-3"
        d="M0 172c20-8 36-11 54-7s30 9 52 2 40-14 64-6 36 12 62 3 52-10 88 4v32H0z"
      />
    </svg>
  );
}
