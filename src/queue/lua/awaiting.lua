-- A run that awaits people is in no inbox, is no current run and no finished one: it is here. Whatever moves it in or
-- out moves its state in the same step, so that nothing here can outlive or miss it.
local function await_people(prefix, id, machine, look_at, asked_at)
  redis.call('ZADD', prefix .. 'approvals:waiting', look_at, id)
  redis.call('ZADD', prefix .. 'approvals:asked', asked_at, id)
  redis.call('LPUSH', prefix .. 'awaiting:' .. machine, id)
end

local function await_no_more(prefix, id, machine)
  redis.call('ZREM', prefix .. 'approvals:waiting', id)
  redis.call('ZREM', prefix .. 'approvals:asked', id)
  redis.call('LREM', prefix .. 'awaiting:' .. machine, 1, id)
end
