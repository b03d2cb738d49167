import { describe, expect, it } from 'vitest';
import { findFacts } from './find-facts.ts';

const found = (text: string) => findFacts(text).facts.map(({ kind, value }) => [kind, value]);

describe('findFacts', () => {
  it.each([
    ['my email is Kim.Lee+shop@Example.co.uk.', 'email', 'kim.lee+shop@example.co.uk'],
    ['order FF-20418837 please', 'order_number', 'FF-20418837'],
    ['ff 20418837', 'order_number', 'FF-20418837'],
    ['(FF20418837)', 'order_number', 'FF-20418837'],
    ['it is order 123456', 'order_number', '123456'],
    ['my order number is 20418837', 'order_number', '20418837'],
    ['Order No. #20418837', 'order_number', '20418837'],
    ['my order number is HF-20441', 'order_number', 'HF-20441'],
    ['it was order HF-20441', 'order_number', 'HF-20441'],
    ['order id: abcd123456789012.', 'order_number', 'ABCD123456789012'],
    ['my order #1001', 'order_number', '1001'],
    ["my order number's W-2044", 'order_number', 'W-2044'],
    ['HF-20441 is my order number', 'order_number', 'HF-20441'],
    ['ticket number HD-4711', 'ticket_number', 'HD-4711'],
    ['my ticket is #4711', 'ticket_number', '4711'],
    ['my order number is 07700 900123', 'phone', '07700900123'],
    ['about my order 07700900123', 'phone', '07700900123'],
    ['ticket T-7K3M9PQR', 'ticket_number', 'T-7K3M9PQR'],
    ['about T-ABCDEFGH', 'ticket_number', 'T-ABCDEFGH'],
    ['ticket number 4711', 'ticket_number', '4711'],
    ['call 0131 496 0142', 'phone', '01314960142'],
    ['07700 900123', 'phone', '07700900123'],
    ['+44 (0)131 496 0142', 'phone', '+441314960142'],
    ['0047 22 12 34 56', 'phone', '+4722123456'],
    ['+49-30-123456', 'phone', '+4930123456'],
  ])('finds in %j the %s', (text, kind, value) => {
    expect(found(text)).toEqual([[kind, value]]);
  });

  it('finds several, each once', () => {
    expect(found('FF-20418837, ff-20418837 and FF-20418838, kim@example.com')).toEqual([
      ['email', 'kim@example.com'],
      ['order_number', 'FF-20418837'],
      ['order_number', 'FF-20418838'],
    ]);
  });

  it.each([
    'I ordered a T-shirt and two T-SHIRTS',
    'my card is 4111 1111 1111 1111',
    'delivered on 01-02-2030',
    'I ordered on 01-02-2026 12:30',
    'order 12345 67890',
    'it cost £1,250.00 for 12 tents',
    'kim at example dot com',
    'write to @fjellandfern',
    'my order of 2 jackets',
    'size 42, 180 cm',
    'can I order TX4000 boots',
    'I want to order 20000 pegs',
    'order no 12 in size EU-42',
    'is my order to EH12 5AB late',
    'post code EH1 2AB, order to 10115 Berlin',
    'my order was 29-11-2026',
    'my order was 2026-11-29',
    'my order number of 2026/11/29',
    'my order was Nov-2026',
    'my order was 12500.50',
    'my order is 12500 pounds',
    'my order number ABCDE-20441',
    'my order number HF-1234567890123',
    'HF-20441',
    'is it open from 09:00 to 18:00',
    '0000000000',
    '',
  ])('finds nothing in %j', (text) => {
    expect(findFacts(text)).toEqual({ facts: [], rest: text, isAll: false });
  });

  it('finds at most five in a message', () => {
    const numbers = Array.from({ length: 9 }, (_, index) => `FF-${20_418_830 + index}`);
    expect(found(numbers.join(' '))).toHaveLength(5);
  });

  it.each([
    ['FF-20418837', true],
    ['my order number is FF-20418837, sorry', true],
    ['here: kim@example.com and 07700 900123', true],
    ['it was order HF-20441', true],
    ['my order number is HF-20441', true],
    ['where is FF-20418837', false],
    ['order FF-20418837 arrived damaged', false],
    ['change my email to kim@example.com', false],
  ])('tells of %j whether it is all that is said', (text, isAll) => {
    expect(findFacts(text).isAll).toBe(isAll);
  });

  it('leaves the rest of the message to be looked up', () => {
    expect(findFacts('Where is my order FF-20418837 now?').rest).toBe('Where is my order now?');
    expect(findFacts('Track order 20418837').rest).toBe('Track order');
  });
});
