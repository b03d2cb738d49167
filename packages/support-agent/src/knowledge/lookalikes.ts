/**
 * Words that are one slip away from one of an article's or a customer's, but are words themselves, and
 * that neither articles nor the other lists have: nobody who writes one meant the other.
 */
export const lookalikes = `
  acre aide albert alert alter angel angle band barrow battle beach bean beat bell bind bitter blind boat
  boost booth boring bother brake brand breach browse brush bull bush butter cartoon cast cat cell
  certainty chase chin clan clarity clash coast cold commuter compliant concert conform consent contest
  context contract convent county cove cub cure curse curtain daring darling dawn debate decade defeat
  derive detective dirt dive diver dose dove dyer ease employ excerpt exit extensive factor factory
  faculty farther fast fellow finding flour flow fond font foreman forge form forth foster foul fried fund
  funding god gong hall hardy heal healing heath hell herd honesty hotel hungry iceland insect kick lack
  latter launch lean lease lesser libel lively loan lone love loved maker manage marker market mast
  material maternal math meat monkey moth mourning mouse muse mystery nation norse nose notion pace pain
  paint palace palm para paste patch patent path patient patrol petty pier pipe piper planet plant playing
  pocket pond pose powder practice precious premises prevent prince print printer proceed produce producer
  profit projection proof property provide quote rally receiver recover remainder retain reuse reward
  rival sack sage sake sample sand scale seal seat seating settle settling shell shit shoot shore shot
  side sight slang slender slight spa spare spark spell spike spin spire stain stake stall star starred
  state statue status steel steep steven sting strain strand string strip stripe strong struck stud sued
  sweep tail tank tech teenage thorough thread threat throat token ton toner topical tough trailer trap
  treat tree trial tribe tropical truce tune walter ward warrant weaving weir whereas wherever widow world
`;
