-- Takes a session away with all that it has. Its highest fencing token stays, with the bucket's; and
-- for a while, in the grave KEYS[11], what its last writes were, for those that are repeated.
local GRAVE_MS = 60000

local function check_removal()
  check_hand_over()
  typed(KEYS[10], 'zset')
  typed(KEYS[11], 'hash')
  typed(KEYS[12], 'zset')
  typed(KEYS[13], 'hash')
end

local function remove(H, line, state, recent, nonce)
  if H[O] ~= '-' then tell(H[OI], 'lost ' .. H[O] .. ' SESSION_GONE') end
  turn_away(H)
  local floor = redis.call('HGET', KEYS[13], 'fence')
  if not floor or tonumber(floor) < tonumber(H[F]) then redis.call('HSET', KEYS[13], 'fence', H[F]) end
  redis.call('HSET', KEYS[11], 'nonce', nonce, 'h', line, 'd', state, 'r', recent)
  redis.call('PEXPIRE', KEYS[11], GRAVE_MS)
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[9])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[7], ARGV[1])
  redis.call('ZREM', KEYS[10], H[ST] .. ':' .. ARGV[1])
  redis.call('ZREM', KEYS[12], ARGV[1])
end
