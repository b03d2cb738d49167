-- uses: header
-- A part of the history: pieces of it that hold the messages asked for, and maybe some around them.
-- KEYS  1 session, 2 messages
-- ARGV  1 incarnation or "-" for any, 2 "newest" below or "oldest" above 3 a seq (exclusive),
--       4 the most messages, 5 the most bytes (one piece is given in any case), 6 messages kept
-- Reply {"none"} | {"gone"} | {"pieces", newest seq, incarnation, piece, piece, …}, oldest first
-- Few at a time: they may be large.
local CHUNK = 4
local line = redis.call('HGET', KEYS[1], 'h')
local H = line and parse(line)
if not H or not alive(H) or (ARGV[1] ~= '-' and ARGV[1] ~= H[INC]) then
  return { ARGV[1] == '-' and 'none' or 'gone' }
end
local pieces = { 'pieces', H[MS], H[INC] }
local bound, most, bytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = H[MS] - ARGV[6]
local length = redis.call('LLEN', KEYS[2])
if length == 0 or most == 0 then return pieces end

local function first_of(index)
  local seq, count = string.match(redis.call('LINDEX', KEYS[2], index), '^(%d+) (%d+)')
  return tonumber(seq), tonumber(count)
end

-- The index of the last piece that begins at or before the seq; -1 when there is none.
local function find(seq)
  local low, high = -1, length - 1
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if first_of(middle) <= seq then low = middle else high = middle - 1 end
  end
  return low
end

local size, taken, found = 0, 0, {}
if ARGV[2] == 'newest' then
  local last = bound > tonumber(H[MS]) and length - 1 or find(bound - 1)
  while last >= 0 and taken < most and size < bytes do
    local from = math.max(0, last - CHUNK + 1)
    local chunk = redis.call('LRANGE', KEYS[2], from, last)
    for index = #chunk, 1, -1 do
      local first, count = string.match(chunk[index], '^(%d+) (%d+)')
      if first + count - 1 <= kept or taken >= most or (size > 0 and size + #chunk[index] > bytes) then
        taken = most
        break
      end
      found[#found + 1] = chunk[index]
      size = size + #chunk[index]
      taken = taken + math.min(bound, first + count) - first
    end
    last = from - 1
  end
  for index = #found, 1, -1 do pieces[#pieces + 1] = found[index] end
else
  local next = math.max(0, find(math.max(bound, kept) + 1))
  while next < length and taken < most and size < bytes do
    local chunk = redis.call('LRANGE', KEYS[2], next, next + CHUNK - 1)
    for index = 1, #chunk do
      local first, count = string.match(chunk[index], '^(%d+) (%d+)')
      if taken >= most or (size > 0 and size + #chunk[index] > bytes) then
        taken = most
        break
      end
      pieces[#pieces + 1] = chunk[index]
      size = size + #chunk[index]
      taken = taken + math.max(0, first + count - 1 - math.max(bound, kept, first - 1))
    end
    next = next + CHUNK
  end
end
return pieces
