-- Outcomes of keyed turns: in the hash KEYS[3], by key, a line
--   "expiry attempts stored done request effects" and behind it the outcome through the codec;
-- `stored`: whether an attempt has stored anything; `done`: 0 not yet, 1 with an outcome, 2 without.
-- KEYS[4] has the keys in the order in which they were put, which is that of their expiry: by expiry in
-- microseconds, none twice. ARGV[3] is their time to live. The field "#" counts the bytes.
local MAX_OUTCOMES, MAX_OUTCOME_BYTES = 64, 262144

local function outcome_of(key)
  local text = redis.call('HGET', KEYS[3], key)
  if not text then return nil end
  local expiry, attempts, stored, done, request, effects, at =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\n()')
  if tonumber(expiry) <= now then return nil end
  return {
    attempts = tonumber(attempts), stored = stored, done = done, request = request,
    effects = effects, outcome = string.sub(text, at),
  }
end

local function put_outcome(H, key, entry)
  local text = string.format('%.0f', now + ARGV[3]) .. ' ' .. entry.attempts .. ' ' .. entry.stored
    .. ' ' .. entry.done .. ' ' .. entry.request .. ' ' .. entry.effects .. '\n' .. entry.outcome
  local bytes = tonumber(redis.call('HGET', KEYS[3], '#') or 0)
    - redis.call('HSTRLEN', KEYS[3], key) + #text
  local newest = redis.call('ZRANGE', KEYS[4], -1, -1, 'WITHSCORES')[2] or 0
  local place = math.max((now + ARGV[3]) * 1000, newest + 1)
  redis.call('ZADD', KEYS[4], string.format('%.0f', place), key)
  local count = redis.call('ZCARD', KEYS[4])
  local oldest = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  while oldest[1] ~= key
    and (count > MAX_OUTCOMES or bytes > MAX_OUTCOME_BYTES or tonumber(oldest[2]) <= now * 1000) do
    bytes = bytes - redis.call('HSTRLEN', KEYS[3], oldest[1])
    redis.call('HDEL', KEYS[3], oldest[1])
    redis.call('ZREM', KEYS[4], oldest[1])
    count = count - 1
    oldest = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  end
  redis.call('HSET', KEYS[3], key, text, '#', bytes)
  if count == 1 then
    redis.call('PEXPIREAT', KEYS[3], H[XP])
    redis.call('PEXPIREAT', KEYS[4], H[XP])
  end
end

-- An attempt under a key has ended without an outcome. `died`: it never said so itself.
local function attempt_ended(H, died)
  if H[OK] == '-' then return end
  local key, request, attempt = string.match(H[OK], '^([^/]+)/([^/]+)/(%d+)$')
  H[OK] = '-'
  local entry = outcome_of(key)
  if entry == nil then
    -- A first attempt that failed by itself and stored nothing is as good as never made.
    if tonumber(attempt) == 1 and not died then return end
    entry = { stored = '0', done = '0', request = request, effects = '-', outcome = '' }
  end
  if entry.done ~= '0' then return end
  entry.attempts = attempt
  put_outcome(H, key, entry)
end
