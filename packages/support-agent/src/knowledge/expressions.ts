import { contentTerms, formsOf } from './terms.ts';

/**
 * Expressions of several words that mean something else than the words do, and what articles say for it.
 * `a/b` is one word or the other, `_` stands for up to three words of any kind.
 */
const lines = `
  send/bring/take/give/post/mail/ship/hand _ back: return item
  return to sender: parcel sent back
  get/want/give/need/have _ money/cash back: refund
  money/cash/payment back: refund
  change _ mind: withdraw
  swap _ for/over: exchange
  too big/small/tight/large/long/short/loose/wide/narrow: exchange size
  not/doesnt/dont/didnt/wont/isnt fit: exchange size
  wrong/different/another/other size: exchange size
  come up big/small/large/short/long: size
  cant/cannot/couldnt/unable _ log/get/sign in/into/on: reset password sign in
  cant/cannot/couldnt/unable _ login: reset password sign in
  log/sign in/on/into: sign in
  lock out: account locked
  know/have/hold/keep/store/get _ on/about me: data
  someone/somebody _ my account: account hacked
  set up: create
  put _ up: pitch
  sign up: subscribe join
  opt out: unsubscribe
  stop/quit _ email/text/message/newsletter/spam/write/send: unsubscribe
  get rid of: delete
  look after: care
  take care of: care
  pick _ up: collect
  drop/hand _ off/in: hand in
  have/get _ in _ shop/store: shop stock
  in/at shop/store: shop
  money/percent/pound off: discount
  run out of: stock
  you/u dont/havent have/get: stock
  come/get/be back in: stock
  before/when/until _ come out: pre order
  run out: expire
  turn/show up: arrive
  where _ my/our stuff/thing/order/parcel/delivery/item: track parcel
  where _ get to: track
  parcel/order/delivery _ lost/vanish/disappear: late parcel
  lost _ parcel/order/delivery: late parcel
  say/show/mark _ delivered: marked delivered
  mean/suppose/due/should _ come/arrive/be: late
  no/any email/mail: email arrive
  come/fall/rip off/apart/undone/away: broken fault
  fall/break to/in/into bit/piece: broken fault
  break/snap/rip after: broken warranty
  stop work: broken fault
  let/get/come _ water in/through: waterproof
  soak/leak through: waterproof
  make in/by/from: made factory
  bit/part/piece/item/something missing: missing item
  order/buy _ wrong: change order
  go through: confirmation
  by/until/get/have/arrive/here/come/deliver _ tomorrow: express delivery
  next day: express delivery
  how much _ worth: worth
  how much: price
  how old: year
  where _ base/locate: visit shop
  where are/r you/u: visit shop
  your/ur/telephone/phone number: phone
  are/r/is you/u/shop/store open/close/shut: shop open
  open hour/time: shop open
  business/office/working/store/shop hour: shop open
  what time _ open/close/shut: shop open
  change/update/edit/correct _ address _ order/parcel: change order
  how long _ parcel/order/package/delivery _ arrive/come/take/get: delivery take
  payment/pay method/option/type/form: pay visa
  method/form of payment: pay visa
  payment/card _ fail/decline/reject/refuse: payment declined
  two/2 factor: two step
  contact/reach you/u/us/support/service/team: contact phone email
  parcel/package/order/delivery/item/shipment _ never/not/hasnt/didnt/havent/isnt _ arrive/come: late parcel
  never/not/didnt/havent get/receive _ parcel/package/order/delivery/item: late parcel
  parcel/package/order/delivery/shipment _ late/delay: late parcel
  bigger/smaller/larger size: exchange size
  get/collect _ point: earn points
  is it/this/that/really from you/u: scam email
  get hold of: contact
  get in touch: contact
  call/ring/phone me/us back: phone
  pay/buy _ later: instalment
  in bit/part/stage: instalment
  out/away when: nobody home
  not home: nobody home
  wasnt/werent/isnt/arent home/in: nobody home
  was/were not in: nobody home
  any/no update/news/word _ order/parcel/package/delivery: track parcel
  happen to/with _ order/parcel/package/delivery: track parcel
  go on with _ order/parcel/package/delivery: track parcel
  wait for/on _ order/parcel/package/delivery: late parcel
  it/they _ hasnt/havent/never/not/didnt come/arrive: late parcel
  when _ order/parcel/package/delivery/item _ arrive/come/here: delivery take
  someone/somebody else _ order/parcel/item/thing/stuff: wrong item
  miss the/a/my/our/your delivery/courier/carrier/driver/postman: nobody home
  rest/half of _ order/parcel/delivery: missing item
  only _ arrive: missing item
  only _ refund: part refund missing
  wife/husband/partner/friend/mum/dad/mother/father/son/daughter/brother/sister/colleague _ collect/pick/fetch: another person collect
  add _ to my/our/the/an order: change order item
  less/lower/smaller than i/we: part missing
  day/week/month/year ago: long day
  run/fit small/large/big/narrow/wide: size
  deliver/delivery/ship/arrive/come _ saturday/sunday/weekend: working day weekend
  how can/could i/we/you pay: pay visa
  where _ make/manufacture/produce: made factory
  is it/this/that real/genuine/legit: scam email
  the us/state: country
  united state: country
  forget/lose/remember _ password/passcode: reset password
  amex: american express
  klarna/clearpay/afterpay: instalment
`;

const gap = '_';
const maxGap = 3;

interface Expression {
  /** For each of its words those that it may be, or `null` for a gap. */
  readonly pattern: readonly (ReadonlySet<string> | null)[];
  readonly meant: readonly string[];
}

export interface FoundExpression {
  /** Where its words stand, from 0. */
  readonly positions: readonly number[];
  /** The terms that it stands for. */
  readonly meant: readonly string[];
}

const expressions = readExpressions();

/** All the words that expressions are made of. */
export const expressionWords: readonly string[] = lines.match(/[a-z\d]+/g) ?? [];

/**
 * The expressions in a text, none of which shares a word with another one.
 *
 * @param bases its words, as `formsOf` has them.
 */
export function expressionsIn(bases: readonly string[]): FoundExpression[] {
  const found: FoundExpression[] = [];
  const taken = new Set<number>();
  for (const [at, base] of bases.entries()) {
    for (const { pattern, meant } of expressions.get(base) ?? []) {
      const positions = positionsOf(pattern, bases, at);
      if (positions === null || positions.some((position) => taken.has(position))) continue;
      for (const position of positions) taken.add(position);
      found.push({ positions, meant });
    }
  }
  return found;
}

function positionsOf(
  pattern: Expression['pattern'],
  bases: readonly string[],
  from: number,
): number[] | null {
  const positions: number[] = [];
  let next = from;
  let reach = 0;
  for (const choices of pattern) {
    if (choices === null) {
      reach = maxGap;
      continue;
    }
    const last = next + reach;
    while (next <= last && !choices.has(bases[next] ?? '')) next += 1;
    if (next > last) return null;
    positions.push(next);
    next += 1;
    reach = 0;
  }
  return positions;
}

/** By each word that one may begin with. */
function readExpressions(): ReadonlyMap<string, readonly Expression[]> {
  const all = new Map<string, Expression[]>();
  for (const line of lines.trim().split('\n')) {
    const [left = '', right = ''] = line.split(':');
    const pattern = left
      .trim()
      .split(' ')
      .map((word) =>
        word === gap ? null : new Set(word.split('/').map((one) => formsOf(one).base)),
      );
    for (const first of pattern[0] ?? []) {
      all.set(first, [...(all.get(first) ?? []), { pattern, meant: contentTerms(right) }]);
    }
  }
  return all;
}
