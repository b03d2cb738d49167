-- Counts one more in a window that begins with its first hit.
-- KEYS  1 the count
-- ARGV  1 length of the window in ms
-- Reply {count, ms to the window's end}
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = ARGV[1]
  redis.call('PEXPIRE', KEYS[1], left)
end
return { count, left }
