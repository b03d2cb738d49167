/** Lets tests import `.lua` files as their text, as the library's build does. */
export function luaText() {
  return {
    name: 'lua-text',
    transform(code, id) {
      return id.endsWith('.lua')
        ? { code: `export default ${JSON.stringify(code)}`, map: null }
        : null;
    },
  };
}
