-- Counts one more in a window that begins with its first hit.
-- KEYS  1 the count
-- ARGV  1 length of the window in ms
-- Reply {count, ms to the window's end}
local left = redis.call('PTTL', KEYS[1])
-- In the millisecond in which the window ends, Redis still has the count.
if left == 0 then redis.call('DEL', KEYS[1]) end
local count = redis.call('INCR', KEYS[1])
if left > 0 then return { count, left } end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return { count, tonumber(ARGV[1]) }
