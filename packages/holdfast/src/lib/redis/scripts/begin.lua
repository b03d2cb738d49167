-- uses: header expiry outcomes live-output hand-over news
-- Takes the session's lease, or joins those who wait for it, or finds the stored outcome.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 outcomes' time to live in ms
--       4 nonce, 5 lease in ms, 6 "wait", "reject" or "interrupt", 7 wait in ms, 8 inbox
--       9 names of the user who must own it, each in spaces, or "*"; 10 the token's hash or "*"
--       11 idempotency key or "-", 12 words that the request's digest may be stored as, each in spaces, the
--       one to store first; 13 the etag that the caller has
--       14 "1" with locking
-- Reply {"none"} | {"user"} | {"token"} | {"closed"} | {"mismatch"} | {"busy"}
--       {"wait", now, news, header}
--       {"granted", now, news, header, counters, attempt, effects, state?, credentials?}
--       {"replayed", now, news, header, counters, done, outcome, state?, credentials?}
-- Keeps  an owner at a time; nobody passes those who wait; the same nonce gets the same lease.
local stored = redis.call('HMGET', KEYS[1], 'h', 'n')
if not stored[1] then return { 'none' } end
local H = parse(stored[1])
if not alive(H) then return { 'none' } end
local news = newest()
local locking, nonce, key = ARGV[14] == '1', ARGV[4], ARGV[11]

local line = stored[1]
local function save()
  line = table.concat(H, ' ')
  redis.call('HSET', KEYS[1], 'h', line)
end

local function reply(kind, first, second)
  if H[SN] == ARGV[13] then return { kind, now, news, line, stored[2], first, second } end
  local parts = redis.call('HMGET', KEYS[1], 'd', 'c')
  return { kind, now, news, line, stored[2], first, second, parts[1], parts[2] }
end

-- Whether a stored digest is another request's. One under a key that the caller does not have cannot be
-- compared, and is taken for the same.
local function differs(request)
  if string.find(ARGV[12], ' ' .. request .. ' ', 1, true) then return false end
  local key_id = string.match(request, '^=(%x+)%.')
  return not key_id or string.find(ARGV[12], ' =' .. key_id .. '.', 1, true) ~= nil
end

if locking and (has(H, 'q') or (H[O] ~= '-' and tonumber(H[LU]) <= now)) then
  check_hand_over()
  if H[O] == '-' then hand_over(H) else settle(H) end
  save()
  if not alive(H) then return { 'none' } end
end

-- Whoever is refused and had been told to wait, or was and did not hear it: nobody would claim what it is given.
local function wait_no_more()
  if not has(H, 'q') then return end
  local member = nonce .. '@' .. ARGV[8]
  redis.call('ZREM', KEYS[2], member)
  redis.call('ZREM', KEYS[7], member)
end

local mine = locking and H[O] == nonce
if mine and not has(H, 'c') then
  local attempt = string.match(H[OK], '/(%d+)$')
  local entry = attempt and outcome_of(key)
  return reply('granted', attempt or '1', entry and entry.effects or '-')
end

local refusal
local entry
if ARGV[9] ~= '*' and not string.find(ARGV[9], ' ' .. H[USR] .. ' ', 1, true) then
  refusal = { 'user' }
elseif ARGV[10] ~= '*' and ARGV[10] ~= H[TOK] then
  refusal = { 'token' }
else
  if key ~= '-' then entry = outcome_of(key) end
  local running, request = string.match(H[OK], '^([^/]+)/([^/]+)')
  if (entry and differs(entry.request)) or (running == key and differs(request)) then
    refusal = { 'mismatch' }
  elseif entry and entry.done ~= '0' then
    refusal = reply('replayed', entry.done, entry.outcome)
  elseif H[ST] == 'closed' then
    refusal = { 'closed' }
  end
end
if refusal then
  if mine then
    check_hand_over()
    hand_over(H)
    save()
  else
    wait_no_more()
  end
  return refusal
end

local attempt = entry and entry.attempts + 1 or 1
local effects = entry and entry.effects or '-'
if not locking then return reply('granted', attempt, effects) end

if mine or H[O] == '-' then
  if mine then
    H[FL] = string.gsub(H[FL], 'c', '')
    if H[FL] == '' then H[FL] = '-' end
  else
    local fence = math.max(clock[1] * 1000000 + clock[2], H[F] + 1)
    H[O], H[OI], H[F] = nonce, ARGV[8], string.format('%.0f', fence)
  end
  if not has(H, 'i') then H[LU] = now + ARGV[5] end
  -- It lives longer than was heard of.
  if tonumber(H[LU]) > tonumber(H[IE]) then
    typed(KEYS[6], 'zset')
    news = changed()
  end
  H[OK] = key == '-' and '-' or key .. '/' .. string.match(ARGV[12], '%S+') .. '/' .. attempt
  if mine and has(H, 'q') then begun(H, key) end
  redis.call('ZADD', KEYS[6], H[LU], ARGV[1])
  outlast(H)
  save()
  return reply('granted', attempt, effects)
end

if ARGV[6] == 'reject' then
  wait_no_more()
  return { 'busy' }
end
check_hand_over()
-- A repeat does not interrupt the first attempt of its own turn: it waits for its outcome. Whose turn it is
-- is not known before it has claimed its lease.
local interrupts = ARGV[6] == 'interrupt'
local may_be_own = key ~= '-' and (has(H, 'c') or string.match(H[OK], '^[^/]+') == key)
if interrupts and not may_be_own then interrupt(H) end
local member = nonce .. '@' .. ARGV[8]
if not redis.call('ZSCORE', KEYS[2], member) then
  H[QT] = H[QT] + 1
  local ticket = interrupts and H[QT] + (key == '-' and 0 or 0.5) or WAITERS + H[QT]
  redis.call('ZADD', KEYS[2], ticket, member)
  redis.call('PEXPIREAT', KEYS[2], tonumber(H[AB]) + 60000)
  redis.call('ZREMRANGEBYSCORE', KEYS[7], '-inf', now - 60000)
  redis.call('ZADD', KEYS[7], now + ARGV[7], member)
  if not has(H, 'q') then H[FL] = H[FL] == '-' and 'q' or H[FL] .. 'q' end
end
save()
return { 'wait', now, news, line }
