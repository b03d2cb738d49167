-- Outcomes of keyed turns: in the list KEYS[3], key and entry by turns, in the order in which they were
-- put, which is that of their expiry; and at the end "#" and the bytes of all entries. An entry is a line
--   "expiry attempts stored done request effects" and behind it the outcome through the codec;
-- `stored`: whether an attempt has stored anything; `done`: 0 not yet, 1 with an outcome, 2 without.
-- ARGV[3] is their time to live.
local MAX_OUTCOMES, MAX_OUTCOME_BYTES = 64, 262144

local function outcome_of(key)
  local at = redis.call('LPOS', KEYS[3], key)
  if not at then return nil end
  local text = redis.call('LINDEX', KEYS[3], at + 1)
  local expiry, attempts, stored, done, request, effects, from =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)\n()')
  if tonumber(expiry) <= now then return nil end
  return {
    attempts = tonumber(attempts), stored = stored, done = done, request = request,
    effects = effects, outcome = string.sub(text, from),
  }
end

local function put_outcome(H, key, entry)
  local text = string.format('%.0f', now + ARGV[3]) .. ' ' .. entry.attempts .. ' ' .. entry.stored
    .. ' ' .. entry.done .. ' ' .. entry.request .. ' ' .. entry.effects .. '\n' .. entry.outcome
  local last = redis.call('LINDEX', KEYS[3], -1)
  if not last then
    redis.call('RPUSH', KEYS[3], key, text, '#' .. #text)
    redis.call('PEXPIREAT', KEYS[3], H[XP])
    return
  end
  local bytes = string.sub(last, 2) + #text
  -- The first write is one that Redis refuses when it is full: after a write it refuses none.
  redis.call('LSET', KEYS[3], -1, key)
  local earlier = redis.call('LPOS', KEYS[3], key)
  local length = redis.call('RPUSH', KEYS[3], text, '#')
  if earlier < length - 3 then
    bytes = bytes - #redis.call('LINDEX', KEYS[3], earlier + 1)
    redis.call('LSET', KEYS[3], earlier, '')
    redis.call('LSET', KEYS[3], earlier + 1, '')
    redis.call('LREM', KEYS[3], 2, '')
    length = length - 2
  end
  while length > 3 do
    local oldest = redis.call('LINDEX', KEYS[3], 1)
    local has_expired = tonumber(string.match(oldest, '^%S+')) <= now
    if length <= 2 * MAX_OUTCOMES + 1 and bytes <= MAX_OUTCOME_BYTES and not has_expired then break end
    redis.call('LPOP', KEYS[3], 2)
    bytes = bytes - #oldest
    length = length - 2
  end
  redis.call('LSET', KEYS[3], -1, '#' .. bytes)
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
