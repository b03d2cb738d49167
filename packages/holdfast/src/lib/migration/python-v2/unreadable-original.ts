/** Why a session cannot be taken over, in words that show nothing of what it holds. */
export class UnreadableOriginal extends Error {
  override readonly name = 'UnreadableOriginal';
}
