-- Live output: the list KEYS[4] of pieces, each a line "first-seq events turn created code" and
-- behind it the events through the codec; or, with a code, none: the turn failed with that code and
-- could not say so itself. Readers are told the newest seq on the channel of the list's name.
local MAX_EVENTS, MAX_LIVE_BYTES, REPLAY_MS = 1024, 262144, 60000

-- pieces: { events, text, events, text, … }
local function append_live(H, turn, pieces, starts, ends, code, nonce)
  local counts = redis.call('HGET', KEYS[1], 'l') or '0 0 -'
  local events, bytes, last = string.match(counts, '^(%S+) (%S+) (%S+)$')
  events, bytes = tonumber(events), tonumber(bytes)
  local seq = tonumber(H[ES])
  local function drop_first()
    local first = redis.call('LPOP', KEYS[4])
    if not first then return false end
    events = events - string.match(first, '^%S+ (%S+)')
    bytes = bytes - #first
    return true
  end
  if starts then
    local first = redis.call('LINDEX', KEYS[4], 0)
    while first and tonumber(string.match(first, '^%S+ %S+ %S+ (%S+)')) < now - REPLAY_MS do
      drop_first()
      first = redis.call('LINDEX', KEYS[4], 0)
    end
  end
  for at = 1, #pieces, 2 do
    local line = string.format('%.0f %d %s %.0f %s\n', seq + 1, pieces[at], turn, now, code or '-')
    local text = line .. pieces[at + 1]
    local length = redis.call('RPUSH', KEYS[4], text)
    if length == 1 then
      events, bytes = 0, 0
      redis.call('PEXPIREAT', KEYS[4], H[XP])
    end
    seq = seq + pieces[at]
    events, bytes = events + pieces[at], bytes + #text
    while (events > MAX_EVENTS or bytes > MAX_LIVE_BYTES) and length > 1 and drop_first() do
      length = length - 1
    end
  end
  H[ES] = string.format('%.0f', seq)
  H[EO] = ends and '-' or turn
  redis.call('HSET', KEYS[1], 'l', events .. ' ' .. bytes .. ' ' .. (nonce or last))
  publish(KEYS[4], H[ES])
end
