import { contentTerms } from './terms.ts';

/** Words of which customers use one and articles another. Each line is a group. */
const groups = `
  ship send deliver dispatch post
  deliver delivery shipping postage
  courier carrier driver postman
  arrive come appear
  collect pick fetch pickup
  lost missing gone disappeared vanished
  late delay overdue
  trace track follow
  attempt try
  carton cardboard box
  refund reimburse repay
  charge cost price fee expensive
  pay charge bill
  amount sum total
  cash money
  invoice receipt bill
  tax duty customs
  tax vat
  discount rebate reduction
  discount coupon promo promotion
  cheap cheaper reduced
  bargain sale
  instalment spread monthly
  decline refuse reject deny
  accept take allow
  welcome allow permit
  valid expire expiry
  twice double
  gift present
  wrap pack
  account profile
  sign login log
  register create join open
  merge combine together join
  leave quit
  password passcode pin
  locked blocked
  email mail inbox mailbox
  spam junk
  text sms
  phone mobile telephone smartphone call
  ring call
  speak talk chat conversation
  newsletter mailing
  notification push alert
  delete erase remove
  close deactivate
  data information info details
  site website webpage online
  basket cart
  error bug
  crash freeze
  photo picture image photograph pic screenshot
  broken damaged faulty defective
  fault defect flaw
  repair mend fix
  warranty guarantee
  proof evidence
  exchange swap change replace
  return back
  cancel revoke undo withdraw
  legal law lawyer
  court sue
  press journalist reporter media
  shop store
  park parking
  station train bus tram
  dog pet puppy
  team staff employee
  person human agent
  job vacancy career
  manager boss
  close shut
  hire rent borrow lend
  trade business wholesale
  company firm business
  embroider embroidery stitch
  walk hike trek
  workshop course class lesson
  guide leader
  book reserve
  backpack rucksack
  jacket coat anorak parka
  trousers pants
  fleece jumper sweater pullover
  boot shoe footwear trainer
  torch headtorch headlamp lamp flashlight
  mat mattress
  pole stick
  lunch food meal
  clothes clothing garment apparel
  gear equipment kit
  product item
  stove cooker burner
  canister cartridge cylinder bottle
  plane flight fly airplane aeroplane airline
  lorry truck
  wash clean launder
  detergent soap
  dry dryer
  mud dirty stain
  zip zipper
  hole tear rip
  ill sick illness unwell
  accessible accessibility
  disability disabled wheelchair handicapped
  blind sight
  deaf hearing
  student university college
  scam fraud phishing fake
  theft stolen thief
  measure measurement
  fit size
  tall height
  large larger big bigger
  fabric material
  maker manufacturer producer
  safe dangerous hazardous
  bin rubbish waste
  abroad overseas international foreign
  copy duplicate
  age old
  parent guardian
  colour color
  catalogue catalog
  metre meter
`;

/** What stands on the left is meant, or is one of what is meant, by what stands on the right. */
const kinds = `
  packet: parcel
  voucher giftcard: gift+card
  locker: parcel+shop
  money: refund
  euro dollar: currency
  bulk: group
  available unavailable restock: stock
  hacked hacker: security account
  2fa: two+step
  surname: name
  cost price fee: free
  long: day week month hour minute
  time: hour open close start
  hotline: phone
  german french spanish italian: language
  rude unfriendly unhappy: complaint
  advert advertising ad: marketing
  crushed smashed cracked torn ripped: damaged
  leak leaky frayed split wobbly: faulty
  typo: wrong correct
  gdpr: data privacy
  uni study: student
  nurse doctor: health+care
  teacher: school
  policeman: police
  firefighter fireman: fire
  rental: hire
  vacation christmas easter: holiday
  bike: bicycle
  car: parking
  rain storm snow: weather
  eco environment: sustainability climate
  donate: charity
  merino sheep: wool
  goose duck feather: down
  propane butane: gas
  goretex: waterproof membrane
  gasoline: petrol
  temperature celsius: degree
  preowned: second+hand
  canada america usa australia japan china india brazil mexico turkey: country
  germany france spain italy portugal ireland netherlands holland belgium austria poland: european country
  denmark sweden finland greece croatia hungary czechia romania bulgaria: european country
  orkney shetland skye hebrides arran mull islay lewis harris: island
  son daughter kid toddler teenager: child
  laptop tablet ipad computer pc: device
  iphone ipad: ios app
  dhl ups fedex hermes dpd evri: carrier
  chrome firefox safari edge: browser
  loyalty: club
  soaked drenched: damaged
  refundable: refund return
  returnable: return
  exchangeable: exchange
  washable: wash
  repairable: repair
`;

/** How well a word of its group stands for another, against the word itself. */
const synonymMatch = 0.9;
const kindMatch = 0.6;

/** Terms that, all together, may stand for one that was asked for. */
export interface Substitute {
  readonly terms: readonly string[];
  /** How well they do, from 0 to 1. */
  readonly match: number;
}

const substitutes = readSubstitutes();

/** All the words that have substitutes or are some. */
export const substituteWords: readonly string[] = `${groups}${kinds}`.match(/[a-z\d]+/g) ?? [];

export function substitutesFor(term: string): readonly Substitute[] {
  return substitutes.get(term) ?? [];
}

function readSubstitutes(): ReadonlyMap<string, readonly Substitute[]> {
  const all = new Map<string, Substitute[]>();
  const add = (term: string, substitute: Substitute) => {
    const others = all.get(term) ?? [];
    all.set(term, [...others, substitute]);
  };
  for (const line of groups.trim().split('\n')) {
    const group = contentTerms(line);
    for (const term of group) {
      for (const other of group) {
        if (term !== other) add(term, { terms: [other], match: synonymMatch });
      }
    }
  }
  for (const [, left = '', right = ''] of kinds.matchAll(/([^:]+):(.+)/g)) {
    for (const term of contentTerms(left)) {
      for (const kind of right.trim().split(' ')) {
        add(term, { terms: contentTerms(kind), match: kindMatch });
      }
    }
  }
  return all;
}
