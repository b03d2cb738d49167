-- Takes a session away with all that it has. Its highest fencing token stays, with the bucket's; and
-- for a while the grave KEYS[12]: its recent writes, and at the end what was removed, and by whom.
local GRAVE_MS = 60000

local function check_removal()
  check_hand_over()
  typed(KEYS[10], 'list')
  typed(KEYS[11], 'zset')
  typed(KEYS[12], 'list')
  typed(KEYS[13], 'zset')
  typed(KEYS[14], 'hash')
end

local function remove(H, line, state, nonce)
  if H[O] ~= '-' then tell(H[OI], 'lost ' .. H[O] .. ' SESSION_GONE ' .. H[F]) end
  turn_away(H)
  local floor = redis.call('HGET', KEYS[14], 'fence')
  if not floor or tonumber(floor) < tonumber(H[F]) then redis.call('HSET', KEYS[14], 'fence', H[F]) end
  redis.call('DEL', KEYS[12])
  if redis.call('EXISTS', KEYS[10]) == 1 then redis.call('RENAME', KEYS[10], KEYS[12]) end
  redis.call('RPUSH', KEYS[12], cmsgpack.pack({ nonce, line, state }))
  redis.call('PEXPIRE', KEYS[12], GRAVE_MS)
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[5], KEYS[9])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[7], ARGV[1])
  redis.call('ZREM', KEYS[11], H[ST] .. ':' .. ARGV[1])
  redis.call('ZREM', KEYS[13], ARGV[1])
end
