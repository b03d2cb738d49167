-- uses: header outcomes live-output hand-over recent-writes removal news
-- Creates a session. What is left of an expired one of its id goes.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 status index, 11 grave,
--       12 index of all, 13 the bucket, 14 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 -, 4 the write's name, 5 incarnation, 6 etag, 7 status,
--       8 the user's name or "-", 9 the token's hash or "-", 10 state, 11 credentials, 12 counters
--       13 idle timeout in ms, 14 absolute timeout in ms, 15 buckets of the namespace
--       16 flags: "n" the caller has just made sure of the namespace, "a" create it anew, though one of
--       this write's name was removed of late
--       17 when this is, as the state says, or "-" when it says nothing
-- Reply {"buried", now, header, counters}: it was created under this name, and has been removed, also where
--       there is another one by now
--       {"namespace"}: this bucket was never used, or all was flushed since, or it is another's
--       {"clock", now}: it is not when the state says
--       {"taken", version} | {"done", now, header, counters, state, credentials} | {"created", now, header, counters, header and
--       state of the expired session that was in its place?}
local H, replaced
local stored = redis.call('HMGET', KEYS[1], 'h', 'n', 'd')

-- The session that was created under this name and lies in the grave.
local function earlier()
  if string.find(ARGV[16], 'a', 1, true) then return nil end
  local last = buried()
  return last and repeated(ARGV[4], KEYS[11]) and { 'buried', now, last[2], ARGV[12] }
end

if stored[1] then
  H = parse(stored[1])
  if alive(H) then
    if not repeated(ARGV[4]) then
      typed(KEYS[11], 'list')
      return earlier() or { 'taken', H[V] }
    end
    return { 'done', now, stored[1], stored[2], stored[3], redis.call('HGET', KEYS[1], 'c') }
  end
  replaced = { stored[1], stored[3] }
end
check_removal()
if replaced then typed(KEYS[#KEYS], 'string') end
local made = earlier()
if made then return made end
local buckets = redis.call('HGET', KEYS[13], 'buckets')
if buckets ~= ARGV[15] and (buckets or not string.find(ARGV[16], 'n', 1, true)) then return { 'namespace' } end
-- As much as a reader forgives (`records.ts`).
if ARGV[17] ~= '-' and math.abs(now - ARGV[17]) > 2000 then return { 'clock', now } end
-- The first write is one that Redis refuses when it is full: after a write it refuses none.
redis.call('HSET', KEYS[13], 'buckets', ARGV[15])
if replaced then
  remove(H, stored[1], stored[3], '-')
  changed(H[INC])
else
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[8], KEYS[9])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[10], 'closed:' .. ARGV[1], 'handed_over:' .. ARGV[1])
end

local absolute = now + ARGV[14]
local idle = math.min(now + ARGV[13], absolute)
local physical = math.min(idle + math.max(60000, math.floor(ARGV[13] / 2)), absolute + 60000)
local line = table.concat({
  ARGV[5], 1, 1, 1, ARGV[6], ARGV[7], ARGV[8], ARGV[9], now, now, now, idle, absolute, physical, idle,
  0, redis.call('HGET', KEYS[13], 'fence') or '0', '-', 0, '-', '-', '-', '-', 0, 0, '-',
}, ' ')
redis.call('HSET', KEYS[1], 'h', line, 'd', ARGV[10], 'c', ARGV[11], 'n', ARGV[12])
redis.call('PEXPIREAT', KEYS[1], physical)
remember(parse(line), ARGV[4], '1 ' .. now .. ' 0 0 ' .. ARGV[12])
redis.call('PEXPIREAT', KEYS[9], physical)
redis.call('ZADD', KEYS[5], idle, ARGV[1])
redis.call('ZADD', KEYS[12], 0, ARGV[1])
if ARGV[7] ~= 'active' then redis.call('ZADD', KEYS[10], 0, ARGV[7] .. ':' .. ARGV[1]) end
return { 'created', now, line, ARGV[12], replaced and replaced[1], replaced and replaced[2] }
