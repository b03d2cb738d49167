-- uses: header
-- A user's sessions, in the user's own slot: entered before a session becomes the user's, confirmed
-- when it has, and left when it is no more. An entry that was never confirmed counts for a while, and
-- is then worth as much as the session shows that it names.
-- KEYS  1 sessions by the order of entering, 2 the state of those that are not simply there: by id,
--       "entering until-ms nonce,nonce…" of the enterings that are not done, with a "?" behind the time where
--       it was found not to be there meanwhile, or "leaving until-ms nonce,nonce…", and the user's "#epoch"
-- ARGV  1 "enter" session, 2 cap or 0, 3 "reject" or "evict_oldest", 4 "1": the entries were checked,
--         5 nonce of this entering
--         -> {"entered", epoch, sessions to end…} | {"check", session, order, session, order, …} | {"full", count}
--       1 "confirm" session, 2 epoch, 3 nonce of its entering -> "stays", or "doubted": it does, but was found
--         not to be there meanwhile; or "deleted": the user was ended meanwhile, or "evicted"
--       1 "leave" session, 2 nonce of an entering that came to nothing -> 1: its entry is now worth as much as
--         the session shows, or is another entering's
--       1 "order" session -> its order, or ""
--       1 "evicted", session -> 1: leaves, unless it has entered anew
--       1 "heal", session, order, session, order, … -> 1: leaves those that have not entered anew
--       1 "end" -> new epoch
--       1 "forget" -> 1: nothing of the user is left, or 0: somebody has entered
--       1 "adopt", session, order, session, order, … -> 1: enters what the user has under another name
--       1 "page", order (exclusive), most -> {id, order, id, order, …}
local PENDING_MS, KEEP_MS, MOST_ENTERINGS = 10000, 90 * 86400000, 100
typed(KEYS[1], 'zset')
typed(KEYS[2], 'hash')

local function next_order()
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or 0
  return string.format('%.0f', math.max(clock[1] * 1000000 + clock[2], last + 1))
end

local function keep()
  redis.call('PEXPIRE', KEYS[1], KEEP_MS)
  redis.call('PEXPIRE', KEYS[2], KEEP_MS)
end

local function take_out(id)
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end

local function entering(state)
  return string.match(state or '', '^entering (%d+)(%??) (%S+)$')
end

local function without(nonces, nonce)
  local others = {}
  for other in string.gmatch(nonces, '[^,]+') do
    if other ~= nonce then others[#others + 1] = other end
  end
  return others
end

-- One entering is done with its entry; those of others are not. Whether it was the last one, and the entry
-- was found not to be there meanwhile: then it is to be looked at again.
local function done(id, nonce)
  local until_ms, doubt, nonces = entering(redis.call('HGET', KEYS[2], id))
  if not until_ms then return false end
  local others = without(nonces, nonce)
  if #others > 0 then
    local state = string.format('entering %s%s %s', until_ms, doubt, table.concat(others, ','))
    redis.call('HSET', KEYS[2], id, state)
    return false
  end
  redis.call('HDEL', KEYS[2], id)
  return doubt == '?'
end

if ARGV[1] == 'page' then
  return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
end
if ARGV[1] == 'order' then return redis.call('ZSCORE', KEYS[1], ARGV[2]) or '' end
if ARGV[1] == 'evicted' then
  if string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^leaving') then take_out(ARGV[2]) end
  return 1
end
if ARGV[1] == 'leave' then
  done(ARGV[2], ARGV[3])
  return 1
end
if ARGV[1] == 'adopt' then
  for at = 2, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'NX', ARGV[at + 1], ARGV[at]) end
  keep()
  return 1
end
if ARGV[1] == 'heal' then
  for at = 2, #ARGV, 2 do
    local state = redis.call('HGET', KEYS[2], ARGV[at])
    local until_ms = state and string.match(state, '^entering (%d+)')
    local order = redis.call('ZSCORE', KEYS[1], ARGV[at])
    local is_same = order and tonumber(order) == tonumber(ARGV[at + 1])
    if is_same and until_ms and tonumber(until_ms) > now then
      redis.call('HSET', KEYS[2], ARGV[at], (string.gsub(state, '^(entering %d+)%??', '%1?')))
    elseif is_same then
      take_out(ARGV[at])
    end
  end
  return 1
end
if ARGV[1] == 'forget' then
  if redis.call('ZCARD', KEYS[1]) > 0 then return 0 end
  redis.call('DEL', KEYS[1], KEYS[2])
  return 1
end
if ARGV[1] == 'end' then
  local epoch = redis.call('HINCRBY', KEYS[2], '#epoch', 1)
  keep()
  return epoch
end
local id = ARGV[2]
if ARGV[1] == 'confirm' then
  local epoch = redis.call('HGET', KEYS[2], '#epoch') or '0'
  local state = redis.call('HGET', KEYS[2], id)
  if epoch ~= ARGV[3] then return 'deleted' end
  if not redis.call('ZSCORE', KEYS[1], id) or (state and string.match(state, '^leaving')) then return 'evicted' end
  local doubted = done(id, ARGV[4])
  -- A new order: who heals an entry by what it saw earlier does not take this one.
  redis.call('ZADD', KEYS[1], next_order(), id)
  return doubted and 'doubted' or 'stays'
end

local cap, epoch = tonumber(ARGV[3]), redis.call('HGET', KEYS[2], '#epoch') or '0'
local own = redis.call('HGET', KEYS[2], id)
local entered = redis.call('ZSCORE', KEYS[1], id)
local evicted, of = string.match(own or '', '^(leaving) %S+ (%S+)$')
-- A repetition of what was evicted meanwhile changes nothing: it learns so when it is confirmed. To
-- another entering of the same session, what was evicted is not there.
local repetition = evicted and #without(of, ARGV[6]) < #without(of, '')
if evicted and not repetition then entered = false end
local ends = {}
if cap > 0 then
  local states, leaving = {}, 0
  local flat = redis.call('HGETALL', KEYS[2])
  for at = 1, #flat, 2 do
    states[flat[at]] = flat[at + 1]
    local until_ms = string.match(flat[at + 1], '^leaving (%d+)')
    if until_ms then
      leaving = leaving + 1
      -- To one whose reply was lost they are named again.
      if flat[at] ~= id and (entered or tonumber(until_ms) <= now) then ends[#ends + 1] = flat[at] end
    end
  end
  local over = redis.call('ZCARD', KEYS[1]) - leaving - cap + 1
  if over > 0 and not entered then
    local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
    if ARGV[5] ~= '1' then
      local check = { 'check' }
      for at = 1, #all, 2 do
        local until_ms = string.match(states[all[at]] or '', '^entering (%d+)')
        if not until_ms or tonumber(until_ms) <= now then
          check[#check + 1], check[#check + 2] = all[at], all[at + 1]
        end
      end
      return check
    end
    if ARGV[4] == 'reject' then return { 'full', tostring(cap) } end
    for at = 1, #all, 2 do
      if over <= 0 then break end
      local other = all[at]
      if not (states[other] and string.match(states[other], '^leaving')) then
        local nonce = string.match(states[other] or '', '^entering %S+ (%S+)$') or '-'
        redis.call('HSET', KEYS[2], other, string.format('leaving %.0f %s', now + PENDING_MS, nonce))
        ends[#ends + 1] = other
        over = over - 1
      end
    end
  end
end
if not entered then redis.call('ZADD', KEYS[1], next_order(), id) end
if not repetition then
  local until_ms, doubt, nonces = entering(own)
  local all = {}
  if until_ms and tonumber(until_ms) > now then all = without(nonces, ARGV[6]) end
  all[#all + 1] = ARGV[6]
  -- Of those who fail again and again before they are done, the last ones are enough.
  nonces = table.concat(all, ',', math.max(1, #all - MOST_ENTERINGS + 1))
  redis.call('HSET', KEYS[2], id, string.format('entering %.0f%s %s', now + PENDING_MS, doubt or '', nonces))
end
keep()
local reply = { 'entered', epoch }
for _, other in ipairs(ends) do reply[#reply + 1] = other end
return reply
