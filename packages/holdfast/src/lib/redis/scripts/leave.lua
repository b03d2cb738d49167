-- uses: header outcomes live-output hand-over recent-writes
-- Gives up a lease, a wait for one, or a grant that its waiter has not claimed in time.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes
-- ARGV  1 session id, 2 inbox prefix, 3 outcomes' time to live in ms, 4 the owner's nonce
--       "lease" incarnation fencing-token starts ends n {count text}*n
--       "wait" inbox | "lapsed"
-- Reply {"left", header}: it held the lease, or waited | {"not", header?}: it did not
-- Keeps  a stale holder frees nothing.
local stored = redis.call('HGET', KEYS[1], 'h')
if not stored then return { 'not' } end
local H = parse(stored)
local name = 'l' .. ARGV[4]
local left = false
check_hand_over()
if ARGV[5] == 'lease' then
  if H[INC] ~= ARGV[6] then return { 'not' } end
  if repeated(name) then return { 'left', stored } end
  settle(H)
  if alive(H) and H[O] == ARGV[4] and H[F] == ARGV[7] then
    left = true
    if ARGV[10] ~= '0' then
      local pieces = {}
      for piece = 11, 10 + 2 * ARGV[10] do pieces[#pieces + 1] = ARGV[piece] end
      append_live(H, H[F], pieces, ARGV[8] == '1', ARGV[9] == '1')
    end
    attempt_ended(H, false)
    hand_over(H)
    remember(H, name, string.format('%.0f %.0f', H[V] + 1, now))
  end
elseif ARGV[5] == 'wait' then
  local member = ARGV[4] .. '@' .. ARGV[6]
  left = redis.call('ZREM', KEYS[2], member) == 1
  redis.call('ZREM', KEYS[7], member)
  settle(H)
  if H[O] == ARGV[4] then
    left = true
    attempt_ended(H, false)
    hand_over(H)
  end
else
  settle(H)
end
local line = table.concat(H, ' ')
redis.call('HSET', KEYS[1], 'h', line)
return { left and 'left' or 'not', line }
