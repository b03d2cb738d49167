-- Redis drops the keys by itself some time after the session has expired, in case that no process is
-- left to do it. The time is moved so far ahead that most writes need not move it.
local function outlast(H)
  local needed = math.max(tonumber(H[IE]), tonumber(H[LU]))
  if needed + 5000 <= tonumber(H[XP]) then return end
  local ahead = math.max(60000, math.floor((needed - now) / 2))
  H[XP] = math.min(needed + ahead, tonumber(H[AB]) + 60000)
  for _, key in ipairs({ 1, 3, 4, 8, 9 }) do redis.call('PEXPIREAT', KEYS[key], H[XP]) end
end
