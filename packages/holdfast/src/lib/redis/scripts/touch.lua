-- uses: header expiry news
-- Starts the idle timeout anew.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 the bucket's news
-- ARGV  1 session id, 2 -, 3 -, 4 idle timeout in ms
-- Reply {1}, or {0} when there is no such session
local line = redis.call('HGET', KEYS[1], 'h')
if not line then return { 0 } end
local H = parse(line)
if not alive(H) then return { 0 } end
typed(KEYS[5], 'zset')
changed()
H[AC], H[IE] = now, math.min(now + ARGV[4], tonumber(H[AB]))
if H[IE] < tonumber(H[XS]) then
  redis.call('ZADD', KEYS[5], H[IE], ARGV[1])
  H[XS] = H[IE]
end
outlast(H)
redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
return { 1 }
