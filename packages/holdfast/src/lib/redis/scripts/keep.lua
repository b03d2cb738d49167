-- uses: header expiry live-output hand-over recent-writes news
-- What a holder does between begin and commit: extend its lease, or write live output.
-- KEYS  1 session, 2 waiters, 3 outcomes, 4 live output, 5 expiry index, 6 leases,
--       7 the bucket's waiters, 8 messages, 9 recent writes, 10 the bucket's news
-- ARGV  1 session id, 2 inbox prefix, 3 -, 4 the lease's incarnation, 5 owner's nonce or "-" without
--       locking, 6 fencing token
--       "renew" lease in ms | "output" nonce starts ends n {count text}*n
-- Reply {"gone"} | {"lost", version} | {"interrupted", version} | {"kept", lease's end}
-- Keeps  output is written once under its nonce: a turn writes one piece after the other, and without
--        locking others write between them.
local line = redis.call('HGET', KEYS[1], 'h')
if not line then return { 'gone' } end
local H = parse(line)
if H[INC] ~= ARGV[4] or not alive(H) then return { 'gone' } end
if ARGV[5] ~= '-' then
  local held = H[O] == ARGV[5] and H[F] == ARGV[6]
  local told = held and has(H, 'i') or string.find(',' .. H[IFS] .. ',', ',' .. ARGV[6] .. ',', 1, true)
  if not held or tonumber(H[LU]) <= now then return { told and 'interrupted' or 'lost', H[V] } end
  if ARGV[7] == 'renew' and told then return { 'interrupted', H[V] } end
end
if ARGV[7] == 'renew' then
  H[LU] = now + ARGV[8]
  if H[LU] > tonumber(H[IE]) then
    typed(KEYS[6], 'zset')
    changed()
  end
  redis.call('ZADD', KEYS[6], H[LU], ARGV[1])
  outlast(H)
else
  typed(KEYS[4], 'list')
  local name = ARGV[5] == '-' and 'e' .. ARGV[8]
  if name then typed(KEYS[9], 'list') end
  local last = string.match(redis.call('HGET', KEYS[1], 'l') or '', '(%S+)$')
  if last == ARGV[8] or name and repeated(name) then return { 'kept', H[LU] } end
  local pieces = {}
  for piece = 12, 11 + 2 * ARGV[11] do pieces[#pieces + 1] = ARGV[piece] end
  append_live(H, ARGV[6], pieces, ARGV[9] == '1', ARGV[10] == '1', nil, ARGV[8])
  if name then remember(H, name, string.format('%.0f %.0f', H[V] + 1, now)) end
end
redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
return { 'kept', H[LU] }
