-- uses: header outcomes live-output hand-over recent-writes removal news
-- Takes over a session of another system with the times that it had there, and notes of which original
-- it was made: both or neither, so that a later run knows what is there.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 status index, 11 grave,
--       12 index of all, 13 the bucket, 14 the bucket's imports, 15 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 -, 4 "look" or "import", 5 digest of the original,
--       6 the earliest and 7 the latest that the original may expire, by its own server; "-" when never
--       and for "import"
--       8 the write's name, 9 incarnation, 10 etag, 11 the user's name or "-", 12 state, 13 credentials,
--       14 counters, 15 created, 16 updated, 17 last activity, 18 idle expiry in ms from now,
--       19 absolute expiry, 20 buckets of the namespace, 21 "n": the caller has just made sure of it
-- Reply {"imported", header and state of what was in its place?} | {"namespace"}: as in create.lua
--       or, without a change:
--       {"new"} | {"changed"}: what "import" would take over, for the first time or again
--       {"unchanged"}: that original is here | {"ended"}: it was, and the session has ended here
--       {"committed"} | {"deleted"}: the original has changed since, and so has the session here
--       {"exists"}: the session here was not imported
-- Keeps  what was written here, other than by an import, is never replaced. A turn that is running
--        counts as a write.

-- How much later than before an original must expire to count as changed: more than clocks differ.
local LATER_MS = 1000

local stored = redis.call('HMGET', KEYS[1], 'h', 'd')
local H = stored[1] and parse(stored[1])
local lives = H and alive(H)
local entry = redis.call('HGET', KEYS[14], ARGV[1])
local digest, incarnation, version, ends, latest
if entry then
  digest, incarnation, version, ends, latest = string.match(entry, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  if ARGV[4] == 'import' and incarnation == ARGV[9] then return { 'imported' } end
end

local function verdict()
  if not entry then return lives and 'exists' or 'new' end
  local same = digest == ARGV[5]
  local later = latest ~= '-' and (ARGV[6] == '-' or ARGV[6] - latest > LATER_MS)
  if same and not later then return lives and 'unchanged' or 'ended' end
  if lives then
    local held = H[O] ~= '-' and tonumber(H[LU]) > now
    if H[INC] == incarnation and H[V] == version and not held then return 'changed' end
    return same and 'unchanged' or 'committed'
  end
  -- It ended by itself where it had its time; otherwise somebody here has ended it, and it stays so.
  if now >= tonumber(ends) then return 'new' end
  return same and 'ended' or 'deleted'
end
local found = verdict()
if ARGV[4] == 'look' or (found ~= 'new' and found ~= 'changed') then return { found } end

check_removal()
if H then typed(KEYS[#KEYS], 'string') end
local buckets = redis.call('HGET', KEYS[13], 'buckets')
if buckets ~= ARGV[20] and (buckets or ARGV[21] ~= 'n') then return { 'namespace' } end
-- The first write is one that Redis refuses when it is full: after a write it refuses none.
redis.call('HSET', KEYS[13], 'buckets', ARGV[20])
if H then
  remove(H, stored[1], stored[2], '-')
  changed(H[INC])
else
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[8], KEYS[9])
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('ZREM', KEYS[10], 'closed:' .. ARGV[1], 'handed_over:' .. ARGV[1])
end

-- Its creation may be earlier than that of a session which had this id here: only the fencing token
-- tells instances that remember that one which of the two came later.
local floor = redis.call('HGET', KEYS[13], 'fence') or 0
local fence = string.format('%.0f', math.max(clock[1] * 1000000 + clock[2], floor + 1))
local absolute = tonumber(ARGV[19])
local idle = math.min(now + ARGV[18], absolute)
local physical = math.min(idle + math.max(60000, math.floor((idle - now) / 2)), absolute + 60000)
local line = table.concat({
  ARGV[9], 1, 1, 1, ARGV[10], 'active', ARGV[11], '-', ARGV[15], ARGV[16], ARGV[17], idle, absolute,
  physical, idle, 0, fence, '-', 0, '-', '-', '-', '-', 0, 0, '-',
}, ' ')
redis.call('HSET', KEYS[1], 'h', line, 'd', ARGV[12], 'c', ARGV[13], 'n', ARGV[14])
redis.call('PEXPIREAT', KEYS[1], physical)
remember(parse(line), ARGV[8], '1 ' .. now .. ' 0 0 ' .. ARGV[14])
redis.call('PEXPIREAT', KEYS[9], physical)
redis.call('ZADD', KEYS[5], idle, ARGV[1])
redis.call('ZADD', KEYS[12], 0, ARGV[1])
redis.call('HSET', KEYS[14], ARGV[1], table.concat({ ARGV[5], ARGV[9], 1, idle, ARGV[7] }, ' '))
return { 'imported', stored[1], stored[2] }
