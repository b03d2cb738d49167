-- uses: header outcomes live-output hand-over recent-writes removal news
-- Ends a session, or removes one that has expired and puts one that has not where it belongs in the
-- expiry index. What is at the session's own keys goes, whatever it is: so it can be ended when something
-- else has written there, too. Without a header that is one, it is over for the expiry index as of its score.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 status index, 11 grave,
--       12 index of all, 13 the bucket, 14 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 -, 4 "delete" or "expired", 5 incarnation, "-" for any, or "?" for
--       one that cannot be told, 6 nonce
-- Reply {"none"} | {"alive"} | {"removed", header, state} | {"cleared"}: there was something else in its place
--       {"vanished"}: Redis itself dropped it
-- Keeps  repeated under its nonce it says the same; but of one that had vanished it says so once, and
--        then "none", as of one that another instance has removed.
local function is_list(key)
  return redis.call('TYPE', key).ok == 'list'
end

local stored = redis.pcall('HMGET', KEYS[1], 'h', 'd')
local foreign = stored.err ~= nil
if foreign and not string.find(stored.err, 'WRONGTYPE', 1, true) then return stored end
local last = is_list(KEYS[11]) and buried() or nil
if last and last[1] == ARGV[6] then
  if last[2] == '' then return { 'cleared' } end
  return { 'removed', last[2], last[3] }
end
if not foreign and not stored[1] then
  if ARGV[4] == 'delete' then return { 'none' } end
  check_shared()
  drop_foreign()
  local indexed = redis.call('ZSCORE', KEYS[5], ARGV[1])
  unindex()
  if indexed then changed('-') end
  return { indexed and 'vanished' or 'none' }
end
local H = foreign and {} or parse(stored[1])
if not (tonumber(H[AB]) and tonumber(H[IE]) and tonumber(H[LU]) and tonumber(H[F])) then
  if ARGV[4] == 'delete' and ARGV[5] ~= '-' and ARGV[5] ~= '?' then return { 'none' } end
  check_shared()
  drop_foreign()
  turn_away()
  redis.call('DEL', KEYS[1], KEYS[3], KEYS[4], KEYS[8], KEYS[9], KEYS[11])
  unindex()
  redis.call('RPUSH', KEYS[11], cmsgpack.pack({ ARGV[6], '', '' }))
  redis.call('PEXPIRE', KEYS[11], GRAVE_MS)
  changed('-')
  return { 'cleared' }
end
local lives = alive(H)
if ARGV[4] == 'delete' and (not lives or (ARGV[5] ~= '-' and ARGV[5] ~= H[INC])) then
  return { 'none' }
end
check_shared()
if ARGV[4] == 'expired' and lives then
  H[XS] = math.min(math.max(tonumber(H[IE]), tonumber(H[LU])), tonumber(H[AB]))
  redis.call('ZADD', KEYS[5], H[XS], ARGV[1])
  redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
  return { 'alive' }
end
drop_foreign()
remove(H, stored[1], stored[2], ARGV[6])
changed(H[INC])
return { 'removed', stored[1], stored[2] }
