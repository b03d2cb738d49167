/**
 * Forms that no suffix rule brings together: each line is a word and its forms. A package is a parcel,
 * because the rules would take it for its packaging.
 */
const lines = `
  become became
  begin began begun
  bite bit bitten
  blow blew blown
  break broke broken
  bring brought
  build built
  burn burnt
  buy bought
  catch caught
  child children
  choose chose chosen
  come came
  complaint complain complained complaining complains
  deal dealt
  die dying
  draw drew drawn
  drive drove driven
  eat ate eaten
  fall fell fallen
  feel felt
  fight fought
  find found
  fly flew flown
  foot feet
  forget forgot forgotten
  freeze froze frozen
  give gave given
  grow grew grown
  hang hung
  hear heard
  hide hid hidden
  hold held
  keep kept
  know knew known
  lay laid
  lead led
  learn learnt
  leave left
  lend lent
  lie lay lain lying
  lose lost
  make made
  man men
  mean meant
  meet met
  parcel package packages
  pay paid
  person people
  ride rode ridden
  ring rang rung
  rise rose risen
  run ran
  say said
  see saw seen
  sell sold
  send sent
  sew sewn
  shake shook shaken
  show shown
  shrink shrank shrunk
  sing sang sung
  sit sat
  sleep slept
  slide slid
  smell smelt
  speak spoke spoken
  spend spent
  spill spilt
  stand stood
  steal stole stolen
  stick stuck
  swell swollen
  swim swam swum
  take took taken
  teach taught
  tear tore torn
  tell told
  think thought
  throw threw thrown
  tie tying
  tooth teeth
  understand understood
  wake woke woken
  wear wore worn
  win won
  woman women
  write wrote written
`;

export const baseForms: ReadonlyMap<string, string> = new Map(
  lines
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' '))
    .flatMap(([base = '', ...forms]) => forms.map((form) => [form, base] as const)),
);
