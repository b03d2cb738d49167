import { describe, expect, it } from 'vitest';
import { asksForPersonElsewhere, isForeign } from './other-languages.ts';

const requests = [
  'ich möchte mit einem Menschen sprechen',
  'Kann ich bitte mit jemandem reden?',
  'bonjour je veux parler à quelqu un',
  "je voudrais parler avec quelqu'un",
  'Vorrei parlare con un operatore',
  'quiero hablar con una persona',
  'Chcę porozmawiać z człowiekiem',
];

describe('asksForPersonElsewhere', () => {
  it.each(requests)('hears it in %j', (text) => {
    expect(asksForPersonElsewhere(text)).toBe(true);
    expect(asksForPersonElsewhere(text.normalize('NFD'))).toBe(true);
  });

  it.each([
    'ich möchte nicht mit einem Menschen sprechen',
    'je ne veux pas parler à une personne',
    'no quiero hablar con una persona',
    'wie lange dauert die Lieferung?',
    'where is my parcel',
    '',
  ])('does not hear it in %j', (text) => {
    expect(asksForPersonElsewhere(text)).toBe(false);
  });
});

describe('isForeign', () => {
  it.each([
    'wo ist mein Paket?',
    'wie lange dauert die Lieferung nach Deutschland?',
    '¿cuánto cuesta el envío?',
    'ile kosztuje dostawa',
    'où est mon colis',
    '¿dónde está mi pedido?',
    "dov'è il mio pacco, quando posso riceverlo",
    'gdzie jest moja paczka',
    'waar is mijn pakket?',
    'onde está a minha encomenda?',
    'где мой заказ',
    'أين طلبي؟',
    '退货需要多少钱？',
  ])('is %j', (text) => {
    expect(isForeign(text)).toBe(true);
  });

  it.each([
    'where is my parcel',
    'ship to Las Palmas',
    'do you ship to La Paz, or to El Salvador?',
    'my name is José Müller',
    'per person per night',
    'yo, can I pay with MasterCard on Mon or Tue?',
    '12345',
    '🥾',
    '',
  ])('is not %j', (text) => {
    expect(isForeign(text)).toBe(false);
  });
});
