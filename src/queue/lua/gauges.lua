-- What waits and what is at work, in one look.
-- KEYS[1]  prefix
-- Returns  {waiting, deepest inbox, id of the oldest waiting or current run ('' for none), current runs}
local prefix = KEYS[1]
local waiting, deepest, oldest, current = 0, 0, '', 0
local function older(id)
  -- Ids begin with their time, in digits that sort.
  if id and (oldest == '' or id < oldest) then
    oldest = id
  end
end
for _, machine in ipairs(redis.call('SMEMBERS', prefix .. 'busy')) do
  local depth = redis.call('LLEN', prefix .. 'inbox:' .. machine)
  waiting = waiting + depth
  deepest = math.max(deepest, depth)
  older(redis.call('LINDEX', prefix .. 'inbox:' .. machine, 0))
  local id = redis.call('HGET', prefix .. 'machine:' .. machine, 'current')
  if id then
    current = current + 1
  end
  older(id)
end
return { waiting, deepest, oldest, current }
