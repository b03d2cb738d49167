-- uses: header outcomes live-output hand-over recent-writes removal news
-- Ends a session, or removes one that has expired and puts one that has not where it belongs in the
-- expiry index.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 status index, 11 grave,
--       12 index of all, 13 the bucket, 14 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 -, 4 "delete" or "expired", 5 incarnation or "-" for any,
--       6 nonce
-- Reply {"none"} | {"alive"} | {"removed", header, state} | {"vanished"}: Redis itself dropped it
-- Keeps  repeated under its nonce it says the same; but of one that had vanished it says so once, and
--        then "none", as of one that another instance has removed.
local stored = redis.call('HMGET', KEYS[1], 'h', 'd')
local last = buried()
if last and last[1] == ARGV[6] then return { 'removed', last[2], last[3] } end
if not stored[1] then
  if ARGV[4] == 'delete' then return { 'none' } end
  check_removal()
  typed(KEYS[#KEYS], 'string')
  local indexed = redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[10], 'closed:' .. ARGV[1], 'handed_over:' .. ARGV[1])
  redis.call('ZREM', KEYS[12], ARGV[1])
  if indexed == 1 then changed('-') end
  return { indexed == 1 and 'vanished' or 'none' }
end
local H = parse(stored[1])
local lives = alive(H)
if ARGV[4] == 'delete' and (not lives or (ARGV[5] ~= '-' and ARGV[5] ~= H[INC])) then
  return { 'none' }
end
check_removal()
if ARGV[4] == 'expired' and lives then
  H[XS] = math.min(math.max(tonumber(H[IE]), tonumber(H[LU])), tonumber(H[AB]))
  redis.call('ZADD', KEYS[5], H[XS], ARGV[1])
  redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
  return { 'alive' }
end
typed(KEYS[#KEYS], 'string')
remove(H, stored[1], stored[2], ARGV[6])
changed(H[INC])
return { 'removed', stored[1], stored[2] }
