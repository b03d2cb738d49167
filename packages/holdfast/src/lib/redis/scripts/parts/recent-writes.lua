-- The results of the last writes, so that one whose reply was lost can be repeated.
local MOST_RECENT = 32

-- The line of an earlier write of this name, without the name; nil when there is none.
local function repeated(recent, name)
  local _, found = string.find(recent, '\n' .. name .. ' ', 1, true)
  return found and string.match(recent, '^[^\n]*', found + 1)
end

local function remember(recent, name, line)
  local count, rest = string.match(recent, '^(%d+)(.*)$')
  count = tonumber(count)
  if count < MOST_RECENT then
    count = count + 1
  else
    rest = string.sub(rest, string.find(rest, '\n', 2, true) or #rest + 1)
  end
  return count .. rest .. '\n' .. name .. ' ' .. line
end
