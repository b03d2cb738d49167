-- uses: header expiry outcomes live-output hand-over recent-writes news
-- Writes changes, atomically and once under its name: a turn's commit or checkpoint under its lease,
-- or a write from outside, which needs none.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 status index, 11 grave,
--       12 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 outcomes' time to live in ms, 4 the write's name
--       5 incarnation or "-" for any, 6 owner's nonce or "-", 7 fencing token; or outside of a turn the
--       incarnation of the version in 13
--       8 "end" or "keep" the turn, or "-" outside of one, 9 lease in ms, 10 version to find or "-"
--       11 idle timeout in ms, 12 messages kept, 13 the version before this write was first tried: where
--       it is still that one, the write has surely not been made; or "?version" when it may have been
--       tried before that, too, or "-"
--       and behind these any of
--       "open"  (refused on a closed session)
--       "state" etag-to-find status user text
--       "credentials" etag-to-find token-to-find-or-* token text
--       "add" "name by name by"      "counters" "name value name value"
--       "messages" incarnation:seq-to-find n {count text}*n
--       "key" key request effects done text
--       "output" starts ends n {count text}*n
-- Reply {"gone", "1"}: and this write was surely not made before | {"gone", "0"}: it may have been
--       {"lost", version} | {"interrupted", version} | {"version", version} | {"closed"} | {"token"}
--       {"counter", name, "many" or "large"}
--       {"doubt", version, incarnation}: it may have been made since it was first tried, and been forgotten
--       {"buried", version, incarnation, line of the first time}: a write of this name was made in the session
--       before this one of its id
--       {"moved", now, news, header, counters, state, credentials}: read again and repeat
--       {"done", line of the first time} | {"written", now, news, header, counters, lease's end or 0}
-- Keeps  a write under a lease changes something only while that lease is held.
local stored = redis.call('HMGET', KEYS[1], 'h', 'n')
local H = stored[1] and parse(stored[1])
local same = H and (ARGV[5] == '-' or ARGV[5] == H[INC])
-- A version number means nothing but in its own incarnation.
local comparable = same and (ARGV[5] ~= '-' or ARGV[7] == H[INC])
if not comparable or H[V] ~= ARGV[13] then
  local earlier = same and repeated(ARGV[4])
  if earlier then return { 'done', earlier } end
  if same and not comparable and redis.call('TYPE', KEYS[11]).ok == 'list' and buried() then
    earlier = repeated(ARGV[4], KEYS[11])
    if earlier then return { 'buried', H[V], H[INC], earlier } end
  end
  local since = comparable and tonumber(string.match(ARGV[13], '%d+$')) or 0
  if same and forgotten(H, since) then return { 'doubt', H[V], H[INC] } end
end
if not same then
  local last = buried()
  local known = ARGV[5] == '-' or not last or parse(last[2])[INC] == ARGV[5]
  local earlier = last and known and repeated(ARGV[4], KEYS[11])
  if earlier then return { 'done', earlier } end
  return { 'gone', known and '1' or '0' }
end
local counters = stored[2]
if not alive(H) then return { 'gone', '1' } end
local owned = ARGV[6] ~= '-'
if owned then
  local held = H[O] == ARGV[6] and H[F] == ARGV[7]
  if not held or tonumber(H[LU]) <= now then
    local told = held and has(H, 'i') or string.find(',' .. H[IFS] .. ',', ',' .. ARGV[7] .. ',', 1, true)
    return { told and 'interrupted' or 'lost', H[V] }
  end
end
if ARGV[10] ~= '-' and ARGV[10] ~= H[V] then return { 'version', H[V] } end

local state, credentials, messages, output, key
local moved = false
local at = 14
while ARGV[at] do
  local part = ARGV[at]
  if part == 'open' then
    if H[ST] == 'closed' then return { 'closed' } end
    at = at + 1
  elseif part == 'state' then
    state = at
    moved = moved or ARGV[at + 1] ~= H[SN]
    at = at + 5
  elseif part == 'credentials' then
    if ARGV[at + 2] ~= '*' and ARGV[at + 2] ~= H[TOK] then return { 'token' } end
    credentials = at
    moved = moved or ARGV[at + 1] ~= H[SN]
    at = at + 5
  elseif part == 'counters' then
    counters = ARGV[at + 1]
    at = at + 2
  elseif part == 'add' then
    local names, values = {}, {}
    for name, value in string.gmatch(counters, '(%S+) (%S+)') do
      names[#names + 1], values[name] = name, tonumber(value)
    end
    for name, by in string.gmatch(ARGV[at + 1], '(%S+) (%S+)') do
      if not values[name] then
        if #names >= 128 then return { 'counter', name, 'many' } end
        names[#names + 1], values[name] = name, 0
      end
      values[name] = values[name] + by
      if math.abs(values[name]) > 9007199254740991 then return { 'counter', name, 'large' } end
    end
    for index, name in ipairs(names) do names[index] = name .. string.format(' %.0f', values[name]) end
    counters = table.concat(names, ' ')
    at = at + 2
  elseif part == 'messages' then
    messages = at
    moved = moved or ARGV[at + 1] ~= H[INC] .. ':' .. H[MS]
    at = at + 3 + 2 * ARGV[at + 2]
  elseif part == 'key' then
    key = at
    at = at + 6
  else
    output = at
    at = at + 4 + 2 * ARGV[at + 3]
  end
end
if moved then
  local parts = redis.call('HMGET', KEYS[1], 'd', 'c')
  return { 'moved', now, newest(), stored[1], stored[2], parts[1], parts[2] }
end
local ends = owned and (ARGV[8] == 'end' or has(H, 'i'))
typed(KEYS[6], 'zset')
typed(KEYS[9], 'list')
if key then typed(KEYS[3], 'list') end
if messages then typed(KEYS[8], 'list') end
if output then typed(KEYS[4], 'list') end
if state and ARGV[state + 2] ~= H[ST] then typed(KEYS[10], 'zset') end
local idle = math.min(now + ARGV[11], tonumber(H[AB]))
if idle < tonumber(H[XS]) then typed(KEYS[5], 'zset') end
if ends and H[FL] ~= '-' or ends and H[EO] ~= '-' then check_hand_over() end

-- The first write is one that Redis refuses when it is full, or for another type: after it, it refuses none.
local news = changed()
if messages then
  local seq = tonumber(H[MS])
  for piece = messages + 3, messages + 1 + 2 * ARGV[messages + 2], 2 do
    local line = (seq + 1) .. ' ' .. ARGV[piece] .. ' ' .. stamp .. '\n'
    local length = redis.call('RPUSH', KEYS[8], line .. ARGV[piece + 1])
    seq = seq + ARGV[piece]
    if length == 1 then redis.call('PEXPIREAT', KEYS[8], H[XP]) end
  end
  H[MS] = string.format('%.0f', seq)
  -- A piece goes when none of its messages is kept any more.
  local dropped = seq - ARGV[12]
  while dropped > 0 do
    local first, count = string.match(redis.call('LINDEX', KEYS[8], 0) or '', '^(%d+) (%d+)')
    if not first or first + count - 1 > dropped then break end
    redis.call('LPOP', KEYS[8])
  end
end
if state then
  redis.call('HSET', KEYS[1], 'd', ARGV[state + 4])
  if ARGV[state + 2] ~= H[ST] then
    redis.call('ZREM', KEYS[10], H[ST] .. ':' .. ARGV[1])
    if ARGV[state + 2] ~= 'active' then
      redis.call('ZADD', KEYS[10], 0, ARGV[state + 2] .. ':' .. ARGV[1])
    end
  end
  H[SV], H[SN], H[ST], H[USR] = H[SV] + 1, ARGV[4] .. '.' .. H[INC], ARGV[state + 2], ARGV[state + 3]
end
if credentials then
  H[CV], H[SN], H[TOK] = H[CV] + 1, ARGV[4] .. '.' .. H[INC], ARGV[credentials + 3]
  redis.call('HSET', KEYS[1], 'c', ARGV[credentials + 4])
end
if key then
  local entry = outcome_of(ARGV[key + 1])
  local attempt = string.match(H[OK], '/(%d+)$')
  if not entry or entry.done == '0' then
    local effects = entry and entry.effects or '-'
    if ARGV[key + 4] ~= '0' then
      effects = '-'
    elseif ARGV[key + 3] ~= '-' then
      effects = effects == '-' and ARGV[key + 3] or effects .. ',' .. ARGV[key + 3]
    end
    put_outcome(H, ARGV[key + 1], {
      attempts = attempt or entry and entry.attempts or 1, stored = '1', done = ARGV[key + 4],
      request = ARGV[key + 2], effects = effects, outcome = ARGV[key + 5],
    })
  end
  if ends and ARGV[8] == 'end' then H[OK] = '-' end
end
if output then
  local pieces = {}
  for piece = output + 4, output + 3 + 2 * ARGV[output + 3] do pieces[#pieces + 1] = ARGV[piece] end
  append_live(H, ARGV[7], pieces, ARGV[output + 1] == '1', ARGV[output + 2] == '1')
end
H[V], H[UP], H[AC], H[IE] = string.format('%d', H[V] + 1), stamp, stamp, idle
local lease = 0
if owned and not ends then
  lease = math.max(tonumber(H[LU]), now + ARGV[9])
  H[LU] = lease
  redis.call('ZADD', KEYS[6], lease, ARGV[1])
elseif ends then
  -- The lease of an interrupted turn goes with its checkpoint, and so its output must end.
  if ARGV[8] == 'keep' and H[EO] == H[F] then
    append_live(H, H[F], { 1, '' }, false, true, 'TURN_INTERRUPTED')
  end
  attempt_ended(H, false)
  hand_over(H)
end
if idle < tonumber(H[XS]) then
  H[XS] = idle
  redis.call('ZADD', KEYS[5], idle, ARGV[1])
end
outlast(H)
local line = table.concat(H, ' ')
redis.call('HSET', KEYS[1], 'h', line, 'n', counters)
remember(H, ARGV[4], H[V] .. ' ' .. stamp .. ' ' .. H[MS] .. ' ' .. lease .. ' ' .. counters)
return { 'written', now, news, line, counters, lease }
