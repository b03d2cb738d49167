-- What instances must hear of that keep sessions in memory. The last key counts the changes of the
-- bucket's sessions, and each is told with its number on the channel of the key's name: who hears a
-- number too many, or sees the count ahead of what was heard, has missed some.
-- Who reads need not fail for a count that cannot be read: nothing is kept, then.
local function newest()
  local count = redis.pcall('GET', KEYS[#KEYS])
  return type(count) == 'string' and count or '0'
end

-- `ended`: the incarnation of the session that has ended with it, or "-" where that is not known any
-- more. Of such a one nothing is worth keeping; after other changes most is.
local function changed(ended)
  local count = redis.call('INCR', KEYS[#KEYS])
  -- After a loss of the count it begins above all earlier ones.
  if count == 1 then
    count = clock[1] * 1000000 + clock[2]
    redis.call('SET', KEYS[#KEYS], string.format('%.0f', count))
  end
  publish(KEYS[#KEYS], string.format('%.0f ', count) .. ARGV[1] .. (ended and ' ' .. ended or ''))
  return count
end
