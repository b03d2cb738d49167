-- uses: header outcomes live-output hand-over
-- Live output behind a seq. Ends first what a dead producer left open.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters
-- ARGV  1 session id, 2 inbox prefix, 3 outcomes' time to live in ms, 4 incarnation or "-" for any
--       5 seq of the last event seen, or "-" for all that comes, 6 the most bytes
-- Reply {"none"} | {"gone"} | {"events", incarnation, newest seq, ms until the producer's lease ends
--       or -1 when no output is open, piece, piece, …}
local line = redis.call('HGET', KEYS[1], 'h')
local H = line and parse(line)
if not H or not alive(H) or (ARGV[4] ~= '-' and ARGV[4] ~= H[INC]) then
  return { ARGV[4] == '-' and 'none' or 'gone' }
end
if H[O] ~= '-' and tonumber(H[LU]) <= now then
  check_hand_over()
  settle(H)
  redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
  if not alive(H) then return { ARGV[4] == '-' and 'none' or 'gone' } end
end
local open = H[EO] ~= '-' and H[O] ~= '-' and H[LU] - now or -1
local reply = { 'events', H[INC], H[ES], open }
local after = ARGV[5] == '-' and tonumber(H[ES]) or tonumber(ARGV[5])
-- A reader of an earlier session of this id begins at the start.
if after > tonumber(H[ES]) then after = 0 end
if after == tonumber(H[ES]) then return reply end
local index, found, size = -1, {}, 0
while true do
  local piece = redis.call('LINDEX', KEYS[4], index)
  if not piece then break end
  local first, count = string.match(piece, '^(%d+) (%d+)')
  if first + count - 1 <= after then break end
  found[#found + 1] = piece
  index = index - 1
end
for at = #found, 1, -1 do
  size = size + #found[at]
  reply[#reply + 1] = found[at]
  if size > tonumber(ARGV[6]) then break end
end
return reply
