-- uses: header
-- Puts values that were encoded anew in the place of those they were made of. Nothing else changes: no
-- version, no time, no lease.
-- KEYS  1 session, 2 outcomes, 3 live output, 4 messages
-- ARGV  1 incarnation, 2 the user's name that was found or "*" to leave it, 3 the name to come
--       and behind these any number of
--       number of the key, field or index, SHA-1 of the value that is there, new value
-- Reply {"gone"} | {"moved"}: something else is there by now, and nothing was changed | {"done"}
local line = redis.call('HGET', KEYS[1], 'h')
local H = line and parse(line)
if not H or H[INC] ~= ARGV[1] then return { 'gone' } end
typed(KEYS[2], 'list')
typed(KEYS[3], 'list')
typed(KEYS[4], 'list')
local olds = {}
if ARGV[2] ~= '*' and ARGV[2] ~= H[USR] then return { 'moved' } end
for at = 4, #ARGV, 4 do
  local key = KEYS[tonumber(ARGV[at])]
  local old = ARGV[at] == '1' and redis.call('HGET', key, ARGV[at + 1])
    or ARGV[at] ~= '1' and redis.call('LINDEX', key, ARGV[at + 1])
  if not old or redis.sha1hex(old) ~= ARGV[at + 2] then return { 'moved' } end
  olds[at] = #old
end
if ARGV[2] ~= '*' and ARGV[2] ~= ARGV[3] then
  H[USR] = ARGV[3]
  redis.call('HSET', KEYS[1], 'h', table.concat(H, ' '))
end
for at = 4, #ARGV, 4 do
  local key, grown = KEYS[tonumber(ARGV[at])], #ARGV[at + 3] - olds[at]
  if ARGV[at] == '1' then
    redis.call('HSET', key, ARGV[at + 1], ARGV[at + 3])
  else
    redis.call('LSET', key, ARGV[at + 1], ARGV[at + 3])
  end
  -- Outcomes and live output are bounded by their bytes, which are counted beside them.
  if ARGV[at] == '2' and grown ~= 0 then
    redis.call('LSET', key, -1, '#' .. string.sub(redis.call('LINDEX', key, -1), 2) + grown)
  elseif ARGV[at] == '3' and grown ~= 0 then
    local events, bytes, last = string.match(redis.call('HGET', KEYS[1], 'l'), '^(%S+) (%S+) (%S+)$')
    redis.call('HSET', KEYS[1], 'l', events .. ' ' .. string.format('%d', bytes + grown) .. ' ' .. last)
  end
end
return { 'done' }
