-- Takes a session away with all that it has. Its highest fencing token stays, with the bucket's; and
-- for a while the grave KEYS[11]: its recent writes, and at the end what was removed, and by whom.
local GRAVE_MS = 60000

local function check_removal()
  check_hand_over()
  typed(KEYS[9], 'list')
  typed(KEYS[10], 'zset')
  typed(KEYS[11], 'list')
  typed(KEYS[12], 'zset')
  typed(KEYS[13], 'hash')
end

-- The same of what a bucket's sessions share: a key that is the session's alone goes with it, whatever it holds.
local function check_shared()
  typed(KEYS[5], 'zset')
  typed(KEYS[6], 'zset')
  typed(KEYS[7], 'zset')
  typed(KEYS[10], 'zset')
  typed(KEYS[12], 'zset')
  typed(KEYS[13], 'hash')
  typed(KEYS[#KEYS], 'string')
end

-- Takes away what is of another type at the session's own keys, after all checks.
local OWN = { [2] = 'zset', [3] = 'list', [4] = 'list', [8] = 'list', [9] = 'list', [11] = 'list' }
local function drop_foreign()
  for key, type in pairs(OWN) do
    local found = redis.call('TYPE', KEYS[key]).ok
    if found ~= type and found ~= 'none' then redis.call('DEL', KEYS[key]) end
  end
end

local function unindex()
  redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[10], 'closed:' .. ARGV[1], 'handed_over:' .. ARGV[1])
  redis.call('ZREM', KEYS[12], ARGV[1])
end

local function remove(H, line, state, nonce)
  if H[O] ~= '-' then tell(H[OI], 'lost ' .. H[O] .. ' SESSION_GONE ' .. H[F]) end
  turn_away(H)
  local floor = redis.call('HGET', KEYS[13], 'fence')
  if not floor or tonumber(floor) < tonumber(H[F]) then redis.call('HSET', KEYS[13], 'fence', H[F]) end
  redis.call('DEL', KEYS[11])
  if redis.call('EXISTS', KEYS[9]) == 1 then redis.call('RENAME', KEYS[9], KEYS[11]) end
  redis.call('RPUSH', KEYS[11], cmsgpack.pack({ nonce, line, state }))
  redis.call('PEXPIRE', KEYS[11], GRAVE_MS)
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[8])
  redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[10], H[ST] .. ':' .. ARGV[1])
  redis.call('ZREM', KEYS[12], ARGV[1])
end
