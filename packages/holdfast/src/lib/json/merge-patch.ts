import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/**
 * Applies a JSON merge patch (RFC 7396, section 2): `null` removes a key, objects merge, anything
 * else replaces. Both values are deeply frozen and so is the result; what the patch leaves alone is
 * shared with the target, so a small patch on a large value costs what it changes.
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  return mergeObject(isJsonObject(target) ? target : {}, patch);
}

/** As `mergePatch` for a patch that is an object, whose result is always one. */
export function mergeObject(target: JsonObject, patch: JsonObject): JsonObject {
  const result: Record<string, JsonValue> = { ...target };
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete result[key];
    else result[key] = mergePatch(result[key], change);
  }
  return Object.freeze(result);
}
