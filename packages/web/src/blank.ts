/** Something a reader could see; as the server has it. */
const visible = /[^\s\u2800\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** There is nothing to be read in it, so it is no message. */
export function isBlank(text: string): boolean {
  return !visible.test(text);
}
