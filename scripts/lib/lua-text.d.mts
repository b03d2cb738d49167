import type { Plugin } from 'vitest/config';

export function luaText(): Plugin;
