/** Words of placeholders. None is so short that a random key of base64 would have it by chance. */
const placeholder =
  /change.?me|change.?this|secret|password|passphrase|example|default|your[-_](own|key|\d)/i;

/**
 * Why nobody should trust this key, as the end of a sentence about it; `null` when nothing is seen.
 * Finds what people write by hand. A random key is refused less than once in a million.
 *
 * @param text as it was given, when that is base64: it may be readable itself
 */
export function weaknessOf(bytes: Buffer, text: string): string | null {
  if (bytes.every((byte) => byte === bytes[0])) return 'is weak: all its bytes are the same';
  if (hasOneStep(bytes)) return 'is weak: its bytes only count';
  if (repeats(bytes)) return 'is weak: it repeats a short pattern';
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    return 'is weak: it is a pass phrase in ASCII, and not random bytes';
  }
  if (!isHex(text) && (placeholder.test(text) || !/[A-Z]/.test(text) || !/[a-z]/.test(text))) {
    return 'is weak: it reads like a pass phrase or a placeholder, and not like random bytes';
  }
  return null;
}

export function isHex(text: string): boolean {
  return /^[0-9a-f]+$/i.test(text);
}

function hasOneStep(bytes: Buffer): boolean {
  const stepAt = (index: number) => ((bytes[index] ?? 0) - (bytes[index - 1] ?? 0)) & 0xff;
  return bytes.every((_, index) => index === 0 || stepAt(index) === stepAt(1));
}

/** Whether the second half, at least, is known from what is before it. */
function repeats(bytes: Buffer): boolean {
  for (let period = 1; period <= bytes.length / 2; period += 1) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) return true;
  }
  return false;
}
