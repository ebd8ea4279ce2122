-- Stores what people or time made of a run that awaits people, if nobody was faster. It goes on awaiting them, or is
-- the next run of its machine, or ends. The fence of the worker that asked them is worth nothing from then on.
-- KEYS[1]  prefix
-- ARGV     id, body before, body, state, verdict ('' for none), note for its campaign,
--          score for views:dirty, when it is to be looked at again ('' where it awaits people no more),
--          ms a finished run is kept, number of finished runs kept,
--          id, JSON, next call and task of the hand-over that begins ('' for none),
--          number of ledger entries kept at most, ledger entries…
-- Returns  1 | 0 when somebody was faster
local prefix, id, body, state, verdict, note = KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local key = prefix .. 'run:' .. id

local was = redis.call('HMGET', key, 'body', 'state', 'machine', 'campaign', 'dirty')
if was[1] ~= ARGV[2] or was[2] ~= 'awaiting' then
  return 0
end

local machine, campaign = was[3], was[4]
local dirty = show(prefix, id, machine, campaign, state, verdict, note, was[5], ARGV[7])
redis.call('HSET', key, 'body', body, 'state', state, 'verdict', verdict, 'dirty', dirty)
if ARGV[11] ~= '' then
  hand_over(prefix, ARGV[11], ARGV[12], ARGV[13], ARGV[9], ARGV[7])
  redis.call('HSET', prefix .. 'handed-over:' .. machine, ARGV[14], ARGV[11])
  redis.call('PEXPIRE', prefix .. 'handed-over:' .. machine, ARGV[9])
end
for i = 16, #ARGV do
  ledger(prefix, ARGV[15], ARGV[i])
end
if state == 'awaiting' then
  redis.call('ZADD', prefix .. 'approvals:waiting', ARGV[8], id)
  return 1
end
await_no_more(prefix, id, machine)
redis.call('HDEL', key, 'fence')
if state == 'approved' then
  redis.call('LPUSH', prefix .. 'inbox:' .. machine, id)
  redis.call('SADD', prefix .. 'busy', machine)
else
  finish(prefix, id, machine, campaign, ARGV[9], tonumber(ARGV[10]))
end
return 1
