-- uses: header
-- How many changes there were in some buckets, and when this is.
-- KEYS  the counts
-- Reply {now, count, …}, with 0 where nothing has changed yet
local counts = redis.call('MGET', unpack(KEYS))
local reply = { now }
for at = 1, #KEYS do reply[at + 1] = counts[at] or '0' end
return reply
