-- uses: header news
-- Reads a session as it is at this instant.
-- KEYS  1 session, 2 the bucket's news
-- ARGV  1 the etag that the caller has, 2 the token that it must have, or *
-- Reply {} | {now, news, header, counters, state?, credentials?}
local stored = redis.call('HMGET', KEYS[1], 'h', 'n')
if not stored[1] then return {} end
local H = parse(stored[1])
if not alive(H) or ARGV[2] ~= '*' and ARGV[2] ~= H[TOK] then return {} end
if H[SN] == ARGV[1] then return { now, newest(), stored[1], stored[2] } end
local parts = redis.call('HMGET', KEYS[1], 'd', 'c')
return { now, newest(), stored[1], stored[2], parts[1], parts[2] }
