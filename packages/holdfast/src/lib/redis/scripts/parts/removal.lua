-- Takes a session away with all that it has. Its highest fencing token stays, with the bucket's; and
-- for a while what was removed, in the grave KEYS[12], and the results of its last writes.
local GRAVE_MS = 60000

local function check_removal()
  check_hand_over()
  typed(KEYS[10], 'list')
  typed(KEYS[11], 'zset')
  typed(KEYS[12], 'hash')
  typed(KEYS[13], 'zset')
  typed(KEYS[14], 'hash')
end

local function remove(H, line, state, nonce)
  if H[O] ~= '-' then tell(H[OI], 'lost ' .. H[O] .. ' SESSION_GONE') end
  turn_away(H)
  local floor = redis.call('HGET', KEYS[14], 'fence')
  if not floor or tonumber(floor) < tonumber(H[F]) then redis.call('HSET', KEYS[14], 'fence', H[F]) end
  redis.call('HSET', KEYS[12], 'nonce', nonce, 'h', line, 'd', state)
  redis.call('PEXPIRE', KEYS[12], GRAVE_MS)
  redis.call('PEXPIRE', KEYS[10], GRAVE_MS)
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[9])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[7], ARGV[1])
  redis.call('ZREM', KEYS[11], H[ST] .. ':' .. ARGV[1])
  redis.call('ZREM', KEYS[13], ARGV[1])
end
