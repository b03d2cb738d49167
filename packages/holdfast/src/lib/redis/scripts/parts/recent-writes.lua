-- The results of the last writes, so that one whose reply was lost can be repeated: in the list
-- KEYS[10], name and result by turns, at least the last 32. It outlives the session for a while.
local KEPT, CUT_AT = 64, 80

-- What an earlier write of this name did; nil when there is none.
local function repeated(name)
  local at = redis.call('LPOS', KEYS[10], name)
  return at and redis.call('LINDEX', KEYS[10], at + 1)
end

local function remember(H, name, line)
  local length = redis.call('RPUSH', KEYS[10], name, line)
  if length == 2 then redis.call('PEXPIREAT', KEYS[10], H[XP]) end
  if length > CUT_AT then redis.call('LTRIM', KEYS[10], -KEPT, -1) end
end
