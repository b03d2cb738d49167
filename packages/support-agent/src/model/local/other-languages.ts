/** How a person is asked for in German, French, Italian, Spanish and Polish, the most spoken of the EU beside English. */
const requests = [
  /\bmit (?:jemand(?:em)?|(?:einem|einer) (?:(?:echten|richtigen) )?(?:mensch(?:en)?|person|mitarbeiter(?:in)?|berater(?:in)?))(?: \p{L}+){0,2} (?:sprechen|reden|chatten|verbunden)/iu,
  /\bparler (?:à|a|avec) (?:quelqu ?'? ?un|(?:un|une) (?:vraie? )?(?:personne|humaine?|être humain|conseill(?:er|ère)|agent))/iu,
  /\bparlare con (?:qualcuno|(?:un|una|un') ?(?:ver[ao] )?(?:persona|umano|essere umano|operat(?:ore|rice)|agente))/iu,
  /\bhablar con (?:alguien|(?:un|una) (?:persona|humano|agente|asesor|operador)a?)/iu,
  /(?:^| )(?:po)?rozmawia[ćc] z (?:kim[śs]|(?:\p{L}+ )?(?:cz[łl]owiekiem|osob[ąa]|konsultantem|pracownikiem))/iu,
];

/** What each request has, in letters that are composed anyway: hardly any message in English has it. */
const talk = /sprechen|reden|chatten|verbunden|parler|parlare|hablar|rozmawia/i;

/** Right before or within a request, it turns it around. */
const refusal = /(?:^| )(?:nicht|kein\p{L}*|pas|jamais|non|no|nunca|nie)(?: \p{L}+){0,3} ?$/iu;

/** Words that are frequent in these languages, in Dutch or in Portuguese, and no words of English. */
const frequent: ReadonlySet<string> = new Set(
  `ich nicht und ist mein meine meinen wie wo wann das der ein eine einen habe haben möchte kann bitte lange nach zu mit für dauert kostet
  je vous est mon ma mes pas une les des où quand comment puis voudrais combien coûte bonjour merci
  io è il che una mio mia dove quando posso vorrei quanto costa buongiorno grazie sono
  una mi cuánto cuesta dónde cuándo cómo puedo quiero hola gracias está por
  ik het een mijn niet hoe waar wanneer graag jullie bestelling duurt lang terug dank geld
  não onde está minha meu uma encomenda obrigado obrigada olá quero posso preciso você vocês
  jest nie się mój moja moje gdzie kiedy jak ile kosztuje mogę chcę proszę dzień dobry dziękuję czy`.split(
    /\s+/,
  ),
);
/** With fewer of them it may be a name. */
const fewest = 2;

/**
 * Whether a text asks for a person in one of a few languages besides English.
 *
 * @param text as `plainText` makes it.
 */
export function asksForPersonElsewhere(text: string): boolean {
  if (!talk.test(text)) return false;
  const composed = text.normalize();
  return requests.some((request) => {
    const found = request.exec(composed);
    return found !== null && !refusal.test(composed.slice(0, found.index));
  });
}

/**
 * Whether a text is likely to be in another language than English: most of its letters are not Latin,
 * or a quarter of its words are frequent ones of other languages.
 *
 * @param text as `plainText` makes it.
 */
export function isForeign(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  if (letters > latin * 2) return true;
  const words =
    text
      .normalize()
      .toLowerCase()
      .match(/[\p{L}\p{M}]+/gu) ?? [];
  const known = new Set(words.filter((word) => frequent.has(word))).size;
  return known >= fewest && known * 4 >= words.length;
}
