-- How a session goes from one turn to the next. Waiters stand in KEYS[2] as "nonce@inbox" in the
-- order of their tickets, interrupters (tickets below WAITERS, halves for those with a key) before all
-- others; KEYS[7] has all waiters of the bucket by the time at which they give up; KEYS[6] its leases by their end.
-- (`settle` and what it calls want live-output and outcomes in front of this part.)
-- ARGV[1] is the session's id, ARGV[2] the beginning of every inbox's channel.
local CLAIM_MS, GRACE_MS, WAITERS, MOST_DEAD, MOST_SEEN, MOST_TOLD = 2000, 2000, 1e12, 1000, 1000, 100

-- How many processes heard it: none when the inbox's process is dead, or cut off.
local function tell(inbox, message)
  return publish(ARGV[2] .. inbox, message)
end

local function has(H, flag)
  return string.find(H[FL], flag, 1, true) ~= nil
end

local function check_hand_over()
  typed(KEYS[2], 'zset')
  typed(KEYS[3], 'list')
  typed(KEYS[4], 'list')
  typed(KEYS[5], 'zset')
  typed(KEYS[6], 'zset')
  typed(KEYS[7], 'zset')
end

-- The owner may commit once more, within the grace, and not renew.
local function interrupt(H)
  if has(H, 'i') then return end
  H[FL] = H[FL] == '-' and 'i' or H[FL] .. 'i'
  H[LU] = now + GRACE_MS
  local fences = H[IFS] == '-' and H[F] or H[IFS] .. ',' .. H[F]
  -- Of eight, their holders can still be told why they are refused.
  while select(2, string.gsub(fences, ',', '')) > 7 do fences = string.match(fences, ',(.*)$') end
  H[IFS] = fences
  redis.call('ZADD', KEYS[6], H[LU], ARGV[1])
  tell(H[OI], 'lost ' .. H[O] .. ' TURN_INTERRUPTED ' .. H[F])
end

local function turn_away(H)
  for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local nonce, inbox = string.match(member, '^(.-)@(.*)$')
    redis.call('ZREM', KEYS[7], member)
    if nonce then tell(inbox, 'gone ' .. nonce) end
  end
  redis.call('DEL', KEYS[2])
  publish(KEYS[4], 'end')
end

-- Those that wait, in order; of more than `most` the first ones.
local function interrupters(most)
  local found = {}
  local before = string.format('(%.0f', WAITERS)
  local waiting = redis.call(
    'ZRANGEBYSCORE', KEYS[2], '-inf', before, 'WITHSCORES', 'LIMIT', 0, most
  )
  for at = 1, #waiting, 2 do
    local nonce, inbox = string.match(waiting[at], '^(.-)@(.*)$')
    if nonce then
      found[#found + 1] = { nonce = nonce, inbox = inbox, keyed = tonumber(waiting[at + 1]) % 1 ~= 0 }
    end
  end
  return found
end

-- The turn with this key has begun. Interrupters with keys look now whether it is a turn of their own.
local function begun(H, key)
  for _, other in ipairs(interrupters(MOST_TOLD)) do
    if key == '-' then interrupt(H) else tell(other.inbox, 'granted ' .. other.nonce) end
  end
end

-- Takes the lease away and gives it to the first waiter that is alive, for as long as it takes to
-- claim it. A session that only the turn kept from expiring expires with it.
local function hand_over(H)
  local waiting = has(H, 'q')
  H[O], H[LU], H[OI], H[FL], H[OK] = '-', 0, '-', '-', '-'
  if tonumber(H[IE]) <= now then
    redis.call('ZREM', KEYS[6], ARGV[1])
    redis.call('ZADD', KEYS[5], H[IE], ARGV[1])
    H[XS] = H[IE]
    turn_away(H)
    return
  end
  for _ = 1, waiting and MOST_DEAD or 0 do
    local member = redis.call('ZPOPMIN', KEYS[2])[1]
    if not member then waiting = false break end
    local patience = redis.call('ZSCORE', KEYS[7], member)
    redis.call('ZREM', KEYS[7], member)
    local nonce, inbox = string.match(member, '^(.-)@(.*)$')
    if patience and tonumber(patience) > now and tell(inbox, 'granted ' .. nonce) > 0 then
      local fence = math.max(clock[1] * 1000000 + clock[2], H[F] + 1)
      H[O], H[OI], H[LU], H[F] = nonce, inbox, now + CLAIM_MS, string.format('%.0f', fence)
      redis.call('ZADD', KEYS[6], H[LU], ARGV[1])
      H[FL] = redis.call('ZCARD', KEYS[2]) > 0 and 'cq' or 'c'
      -- An interrupter that had another one ahead of it interrupts that one now; one with a key when it is
      -- known whether it is a turn of its own.
      for _, other in ipairs(interrupters(MOST_SEEN)) do
        if not other.keyed then interrupt(H) end
      end
      return
    end
  end
  if waiting then H[FL] = 'q' end
  redis.call('ZREM', KEYS[6], ARGV[1])
end

-- Ends a turn whose lease has run out: its output too, which it can't end itself.
local function settle(H)
  if H[O] == '-' or tonumber(H[LU]) > now then return end
  local code = has(H, 'i') and 'TURN_INTERRUPTED' or 'LEASE_LOST'
  if H[EO] == H[F] then append_live(H, H[F], { 1, '' }, false, true, code) end
  tell(H[OI], 'lost ' .. H[O] .. ' ' .. code .. ' ' .. H[F])
  attempt_ended(H, true)
  hand_over(H)
end
