-- Counts one more in a window that begins with its first hit.
-- KEYS  1 the count
-- ARGV  1 length of the window in ms
-- Reply {count, ms to the window's end}
local left = redis.call('PTTL', KEYS[1])
if left > 0 then return { redis.call('INCR', KEYS[1]), left } end
-- In the millisecond in which the window ends, Redis still has the count.
redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
return { 1, tonumber(ARGV[1]) }
