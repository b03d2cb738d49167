-- The results of the last writes, so that one whose reply was lost can be repeated: in the list
-- KEYS[9], name and result by turns: the last 32, and in a session with many writers also those that
-- are younger than any repetition, up to 2,048. Releases are among them.
local KEPT, MOST, REPEATED_MS, CUT = 64, 4096, 30000, 16

-- What an earlier write of this name did, in the session or, with the grave, in the one before it; nil
-- when there is none.
local function repeated(name, list)
  local at = redis.call('LPOS', list or KEYS[9], name)
  return at and redis.call('LINDEX', list or KEYS[9], at + 1)
end

-- What lies in the grave: the nonce of its removal, header and state; nil when there is none, or something
-- else.
local function buried()
  local last = redis.call('LINDEX', KEYS[11], -1)
  local is_packed, grave = pcall(cmsgpack.unpack, last or '')
  return is_packed and type(grave) == 'table' and type(grave[2]) == 'string' and grave or nil
end

-- Whether a write that was first tried at this version may have been made and forgotten since.
local function forgotten(H, since)
  if since >= tonumber(H[V]) then return false end
  local line = redis.call('LINDEX', KEYS[9], 1)
  local from = line and tonumber(string.match(line, '^%d+')) or H[V] + 1
  -- The list may begin with writes of an earlier session of this id, which had more of them.
  return from > since + 1 and from <= H[V] + 1
end

-- `line` begins with the first version whose write is remembered after this one, or by it, and the
-- time.
local function remember(H, name, line)
  local length = redis.call('RPUSH', KEYS[9], name, line)
  if length == 2 then redis.call('PEXPIREAT', KEYS[9], H[XP]) end
  if length <= KEPT or length % CUT ~= 0 then return end
  local oldest = string.match(redis.call('LINDEX', KEYS[9], 1), '^%S+ (%d+)')
  if length > MOST or oldest + REPEATED_MS < now then
    redis.call('LPOP', KEYS[9], math.min(CUT, length - KEPT))
  end
end
