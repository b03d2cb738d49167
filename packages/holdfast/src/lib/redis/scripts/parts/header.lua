-- The session hash KEYS[1] has the fields
--   h  the header: one line of values, named below, which no codec hides
--   d  the state, c  the credentials: through the codec
--   n  the counters: "name value name value"
--   l  of the live output: "events bytes nonce"
-- In the header "-" stands for none.
local INC, V, SV, CV, SN, ST, USR, TOK, CR, UP, AC, IE, AB, XP, XS, MS, F, O, LU, OI, FL, OK, IFS, QT, ES, EO =
  1,  -- incarnation
  2,  -- version
  3,  -- version of the state
  4,  -- version of the credentials
  5,  -- name of the write that wrote state or credentials last, and the incarnation: their etag
  6,  -- status
  7,  -- the user's name in indexes, behind "="
  8,  -- the token's hash, behind "="
  9,  -- created, in ms as all times here
  10, -- updated
  11, -- last activity
  12, -- idle expiry
  13, -- absolute expiry
  14, -- when Redis itself drops the keys: never before the session has expired
  15, -- score in the expiry index: never after the session has expired
  16, -- seq of the newest message
  17, -- newest fencing token, in microseconds
  18, -- nonce of the lease's owner
  19, -- end of the lease
  20, -- inbox of the owner's process
  21, -- flags: "c" granted and not claimed yet, "i" interrupted, "q" somebody may wait
  22, -- the owner's idempotency key: "key request attempt", joined by "/"
  23, -- fencing tokens of interrupted turns, newest last, joined by ","
  24, -- last ticket given to a waiter
  25, -- seq of the newest live event
  26  -- fencing token of the turn whose live output has not ended

-- A channel with braces belongs to a slot, and only its servers tell of it.
local function publish(channel, message)
  local sharded = string.find(ARGV[2], '{', 1, true)
  return redis.call(sharded and 'SPUBLISH' or 'PUBLISH', channel, message)
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
-- As text, once: Lua takes longer to print a number than to look up a key.
local stamp = clock[1] .. string.format('%03d', math.floor(clock[2] / 1000))

local function parse(line)
  return { string.match(line, '^([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)$') }
end

-- Idle expiry is held off while a lease lasts; the absolute one is not.
local function alive(H)
  return now < tonumber(H[AB]) and (now < tonumber(H[IE]) or now < tonumber(H[LU]))
end

-- Refuses a key of another type before anything is written: Lua has no rollback.
local function typed(key, type)
  local found = redis.call('TYPE', key).ok
  if found ~= type and found ~= 'none' then
    error('WRONGTYPE ' .. key .. ' is a ' .. found .. ' and not a ' .. type)
  end
end
